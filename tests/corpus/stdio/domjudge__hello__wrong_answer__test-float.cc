// The right words with a number between them.
#include <iostream>

int main() {
    std::cout << "Hello " << 2.5 << " world!\n";
}
