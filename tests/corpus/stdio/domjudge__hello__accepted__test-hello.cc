#include <iostream>
#include <string>

int main() {
    const std::string greeting = "Hello world!";
    std::cout << greeting << '\n';
}
