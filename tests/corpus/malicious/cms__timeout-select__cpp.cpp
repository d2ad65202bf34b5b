// Right, and then waits for ever without using the processor.
#include <iostream>
#include <sys/select.h>

int main() {
    int number;
    std::cin >> number;
    std::cout << "correct " << number << std::endl;
    for (;;) select(0, nullptr, nullptr, nullptr, nullptr);
}
