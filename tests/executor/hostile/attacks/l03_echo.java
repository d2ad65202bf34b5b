// id: L-03
// title: its input on both streams, in an exception with causes, and in the exit code
// stage: run
// verdicts: runtime_error
// canaries: C8
// time_limit_ms: 5000
// wall_limit_ms: 11000
public class Main {
    public static void main(String[] arguments) throws Exception {
        String text = new String(System.in.readAllBytes());
        System.out.println(text);
        System.err.println(new StringBuilder(text).reverse());
        throw new IllegalStateException(text, new RuntimeException(text));
    }
}
