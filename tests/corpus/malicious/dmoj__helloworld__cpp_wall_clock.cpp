// Waits for the wall clock to reach a time far off, without ever sleeping.
#include <chrono>
#include <iostream>

int main() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::hours(1);
    while (std::chrono::steady_clock::now() < end) continue;
    std::cout << "Hello, World!\n";
}
