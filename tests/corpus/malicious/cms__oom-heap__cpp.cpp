// Takes memory and writes to all of it, until the limit stops it or there is no more to be had.
#include <algorithm>
#include <iostream>
#include <vector>

int main() {
    int number;
    std::cin >> number;
    std::cout << "correct " << number << std::endl;
    std::vector<char *> blocks;
    for (;;) {
        blocks.push_back(new char[1 << 20]);
        std::fill_n(blocks.back(), 1 << 20, static_cast<char>(blocks.size() | 1));
    }
}
