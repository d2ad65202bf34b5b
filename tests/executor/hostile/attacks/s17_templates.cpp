// id: S-17
// title: templates that grow without end
// stage: compile
// verdicts: compilation_error
// canaries: C5 C6 C7 C8
template <int N> struct A { typename A<N + 1>::t left; typename A<N + 2>::t right; };
A<0> a;
int main() { return 0; }
