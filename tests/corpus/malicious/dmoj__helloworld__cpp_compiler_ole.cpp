// Warnings without end by including itself, and no error among them until somebody has had enough.
#if __INCLUDE_LEVEL__ < 150
#warning "The quick brown fox jumps over the lazy dog, and tells everybody who reads the compiler's messages."
#include __FILE__
#warning "And again, on the way back, for those who have missed it the first time, or the second, or the third."
#include __FILE__
#endif
#if __INCLUDE_LEVEL__ == 0
#include <iostream>

int main() { std::cout << "Hello, World!\n"; }
#endif
