// Right at first, and then prints for ever.
#include <iostream>
#include <string>

int main() {
    const std::string line(4095, 'x');
    std::cout << "Hello world!\n";
    for (;;) std::cout << line << '\n';
}
