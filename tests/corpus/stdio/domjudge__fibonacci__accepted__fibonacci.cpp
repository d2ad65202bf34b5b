#include <iostream>

int main() {
    constexpr long long modulus = 1'000'000'007;
    long long steps, current = 0, next = 1;
    std::cin >> steps;
    while (steps-- > 0) {
        long long sum = (current + next) % modulus;
        current = next;
        next = sum;
    }
    std::cout << current << '\n';
}
