// id: S-14
// title: locks itself out in several threads
// stage: run
// verdicts: time_limit_exceeded
// canaries: C7 C8
// wall_limit_ms: 1000
public class Main {
    public static void main(String[] args) throws Exception {
        Object lock = new Object();
        for (int count = 0; count < 3; count++) new Thread(() -> { synchronized (lock) { } }).start();
        synchronized (lock) { Thread.sleep(3600000); }
    }
}
