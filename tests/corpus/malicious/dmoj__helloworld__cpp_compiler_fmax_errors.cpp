// Templates that spread without end, with an error in each: more work for a compiler than anybody waits for, and as
// much to report, where it does not stop at the first few errors.
template <unsigned long long Left, unsigned long long Right, int Depth>
struct Spread {
    static_assert(Depth < 0, "This one is wrong, like all the others.");
    static constexpr int left = Spread<2 * Left, Right, Depth - 1>::left + Spread<2 * Left + 1, Right, Depth - 1>::right;
    static constexpr int right = Spread<Left, 2 * Right, Depth - 1>::left + Spread<Left, 2 * Right + 1, Depth - 1>::right;
};

template <unsigned long long Left, unsigned long long Right>
struct Spread<Left, Right, 0> {
    static constexpr int left = 0, right = 0;
};

int main() { return Spread<1, 1, 60>::left; }
