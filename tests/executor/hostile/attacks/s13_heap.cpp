// id: S-13
// title: fills the heap in small pieces
// stage: run
// verdicts: memory_limit_exceeded
// canaries: C5 escaped C8
#include <cstring>
#include <iostream>
#include <vector>

int main() {
    std::vector<char *> pieces;
    for (int count = 0; count < 400; count++) {
        pieces.push_back(new char[1 << 20]);
        std::memset(pieces.back(), 1, 1 << 20);
    }
    std::cout << "ESCAPED 400 MiB of memory" << std::endl;
}
