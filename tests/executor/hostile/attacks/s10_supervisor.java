// id: S-10
// title: ends all processes it can name, and does not end itself
// stage: run
// verdicts: time_limit_exceeded
// canaries: C3 C5 C7 C8
// wall_limit_ms: 1500
public class Main {
    public static void main(String[] args) throws Exception {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> { for (;;) Thread.onSpinWait(); }));
        ProcessHandle.allProcesses().filter(one -> one.pid() != ProcessHandle.current().pid()).forEach(one -> {
            one.destroyForcibly();
        });
        System.exit(0);
    }
}
