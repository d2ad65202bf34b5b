// id: G-15
// title: works in threads of which none reaches the limit alone
// stage: run
// verdicts: time_limit_exceeded
// canaries: C7 C8
public class Main {
    public static void main(String[] arguments) throws Exception {
        Thread[] workers = new Thread[4];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Thread(() -> {
                var clock = java.lang.management.ManagementFactory.getThreadMXBean();
                while (clock.getCurrentThreadCpuTime() < 600_000_000L) Thread.onSpinWait();
            });
            workers[i].start();
        }
        for (Thread worker : workers) worker.join();
        System.out.println(2);
    }
}
