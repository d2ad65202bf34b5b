// Never silent, and never done: works long for each character.
#include <iostream>

int main() {
    for (;;) {
        for (volatile int turns = 0; turns < 10'000'000;) turns = turns + 1;
        std::cout << '.' << std::flush;
    }
}
