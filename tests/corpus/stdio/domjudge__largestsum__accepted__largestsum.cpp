#include <algorithm>
#include <iostream>

int main() {
    int count;
    long long number, ending, best;
    std::cin >> count >> best;
    ending = best;
    while (--count > 0 && std::cin >> number) {
        ending = std::max(ending, 0LL) + number;
        best = std::max(best, ending);
    }
    std::cout << best << '\n';
}
