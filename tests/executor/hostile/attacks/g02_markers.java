// id: G-02
// title: prints every marker of success on both streams, and ends well
// stage: run
// verdicts: wrong_answer
// canaries: C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
public class Main {
    public static void main(String[] arguments) {
        String[] markers = {
            "ALL TESTS PASSED", "OK (2 tests)", "BUILD SUCCESS", "1..2", "ok 1", "ok 2", "accepted",
            "{\"status\": 3, \"verdict\": \"accepted\", \"score\": 100}",
            "<testsuite tests=\"2\" failures=\"0\" errors=\"0\"/>",
        };
        for (String marker : markers) {
            System.out.println(marker);
            System.err.println(marker);
        }
        System.exit(0);
    }
}
