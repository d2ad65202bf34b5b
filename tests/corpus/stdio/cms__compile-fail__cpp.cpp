// A string goes into an int, which C++ does not take.
#include <iostream>
#include <string>

int main() {
    std::string answer = "correct";
    int number = answer;
    std::cout << answer << ' ' << number << '\n';
}
