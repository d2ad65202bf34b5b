// id: S-16
// title: prints without end to the error output
// stage: run
// verdicts: output_limit_exceeded
// canaries: C5 C6 C7 C8
// time_limit_ms: 3000
// wall_limit_ms: 4000
public class Main {
    public static void main(String[] args) {
        String line = "x".repeat(100_000);
        for (;;) System.err.println(line);
    }
}
