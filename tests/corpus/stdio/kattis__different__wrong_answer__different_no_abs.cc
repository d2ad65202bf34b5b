// Forgets that the first number may be the smaller one.
#include <iostream>

int main() {
    long long first, second;
    while (std::cin >> first >> second) std::cout << first - second << '\n';
}
