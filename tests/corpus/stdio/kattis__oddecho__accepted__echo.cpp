#include <iostream>
#include <string>

int main() {
    int count;
    std::string word;
    std::cin >> count;
    for (int place = 1; place <= count && std::cin >> word; place++)
        if (place % 2 == 1) std::cout << word << '\n';
}
