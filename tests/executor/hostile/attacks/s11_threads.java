// id: S-11
// title: threads without end
// stage: run
// verdicts: runtime_error memory_limit_exceeded time_limit_exceeded
// canaries: C3 C5 C7 escaped C8
// wall_limit_ms: 1500
public class Main {
    public static void main(String[] args) {
        for (int count = 0; count < 2000; count++)
            new Thread(null, () -> { for (;;) try { Thread.sleep(1000); } catch (InterruptedException again) { } }, "", 65536).start();
        System.out.println("ESCAPED as many threads as wanted");
    }
}
