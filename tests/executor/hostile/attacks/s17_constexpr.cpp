// id: S-17
// title: computes without end while it is compiled
// stage: compile
// verdicts: compilation_error
// canaries: C5 C7 C8
constexpr long spin() { long n = 0; for (;;) n += 1; return n; }
constexpr long forever = spin();
int main() { return 0; }
