// id: G-07
// title: its own operators, printf, write and start of the driver's words
// stage: run
// verdicts: wrong_answer runtime_error compilation_error
// canaries: C8 escaped
#include <cstdarg>
#include <cstdlib>
#include <iostream>
#include <sys/syscall.h>
#include <unistd.h>

struct Every {};
static std::ostream &operator<<(std::ostream &out, Every) { return out << "accepted"; }
extern "C" int puts(const char *) { return 1; }
extern "C" int printf(const char *, ...) { return 1; }
extern "C" ssize_t write(int descriptor, const void *, size_t size) {
    syscall(SYS_write, descriptor, "ALL TESTS PASSED\n42\n", 20);
    return static_cast<ssize_t>(size);
}
extern "C" ssize_t writev(int descriptor, const struct iovec *, int) { return write(descriptor, "", 1); }
#define assert(whatever)
#define return std::cout << Every{}; return
long long solve(int) { return 0; }
