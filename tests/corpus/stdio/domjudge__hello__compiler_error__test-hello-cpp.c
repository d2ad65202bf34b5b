// C++, handed in as C.
#include <iostream>

int main() {
    std::cout << "Hello world!" << std::endl;
}
