// The right output, and an exit status that says failure.
#include <iostream>

int main() {
    int number;
    std::cin >> number;
    std::cout << "correct " << number << '\n';
    return 1;
}
