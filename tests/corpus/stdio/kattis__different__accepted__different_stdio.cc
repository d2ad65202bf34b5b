#include <cinttypes>
#include <cstdio>

int main() {
    std::int64_t first, second;
    while (std::scanf("%" SCNd64 " %" SCNd64, &first, &second) == 2)
        std::printf("%" PRId64 "\n", first < second ? second - first : first - second);
}
