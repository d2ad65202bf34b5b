#include <iostream>

int main() {
    for (const char *line : {"Hello world", "Isn't this fun!"}) std::cout << line << '\n';
}
