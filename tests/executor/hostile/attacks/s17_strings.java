// id: S-17
// title: constants that double until the compiler gives up
// stage: compile
// verdicts: compilation_error
// canaries: C5 C6 C7 C8
public class Main {
    static final String A = "0123456789012345678901234567890123456789", B = A + A + A + A + A + A + A + A;
    static final String C = B + B + B + B + B + B + B + B, D = C + C + C + C + C + C + C + C;
    static final String E = D + D + D + D + D + D + D + D, F = E + E + E + E + E + E + E + E;
    static final String G = F + F + F + F + F + F + F + F, H = G + G + G + G + G + G + G + G;

    public static void main(String[] args) { System.out.println(H); }
}
