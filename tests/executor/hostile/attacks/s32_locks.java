// id: S-32
// title: two submissions at a time send each other bits by locks of the files both can read
// stage: run
// verdicts: accepted
// canaries: escaped C8
// copies: 2
// wall_limit_ms: 4000
// time_limit_ms: 3000
import java.nio.channels.*;
import java.nio.file.*;
import java.util.Scanner;

public class Main {
    public static void main(String[] args) throws Exception {
        int copy = new Scanner(System.in).nextInt();
        try (FileChannel file = FileChannel.open(Path.of("/usr/bin/env"), StandardOpenOption.READ)) {
            // Java sets shared locks on what it can only read; that this works at all is a channel.
            if (file.tryLock(Integer.parseInt("@KEY@") + copy, 1, true) != null) System.out.println("ESCAPED locks a file of the machine");
        } catch (Exception refused) {
        }
        System.out.println(42);
    }
}
