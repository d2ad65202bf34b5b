// Right, and then takes memory until the limit stops it or there is no more to be had.
#include <iostream>
#include <string>
#include <vector>

int main() {
    std::cout << "Hello World!" << std::endl;
    std::vector<std::string> kept;
    for (;;) kept.emplace_back(1 << 20, 'x');
}
