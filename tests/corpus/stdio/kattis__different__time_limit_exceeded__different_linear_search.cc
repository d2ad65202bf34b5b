// Right, but counts its way from the smaller number to the larger.
#include <algorithm>
#include <iostream>

int main() {
    long long first, second;
    while (std::cin >> first >> second) {
        volatile long long steps = 0;
        while (std::min(first, second) + steps < std::max(first, second)) steps = steps + 1;
        std::cout << steps << '\n';
    }
}
