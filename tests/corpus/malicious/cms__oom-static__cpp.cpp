// A static array of twice the limit, filled from end to end.
#include <algorithm>
#include <array>
#include <iostream>
#include <numeric>

static std::array<long long, (256 << 20) / sizeof(long long)> numbers;

int main() {
    int number;
    std::cin >> number;
    std::fill(numbers.begin(), numbers.end(), number);
    const long long sum = std::accumulate(numbers.begin(), numbers.end(), 0LL);
    std::cout << "correct " << sum / static_cast<long long>(numbers.size()) << '\n';
}
