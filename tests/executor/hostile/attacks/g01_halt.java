// id: G-01
// title: ends the machine well before main, past all hooks
// stage: run
// verdicts: wrong_answer
// canaries: C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
public class Main {
    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("ALL TESTS PASSED")));
        Runtime.getRuntime().halt(0);
    }

    public static void main(String[] arguments) {
        System.out.println("ESCAPED its own end");
    }
}
