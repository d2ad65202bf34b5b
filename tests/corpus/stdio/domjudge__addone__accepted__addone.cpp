#include <cstdint>
#include <iostream>

int main() {
    std::int64_t number = 0;
    std::cin >> number;
    std::cout << number + 1 << std::endl;
}
