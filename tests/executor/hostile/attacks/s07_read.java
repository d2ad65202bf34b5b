// id: S-07
// title: reads what the machine and the server keep secret
// stage: run
// verdicts: accepted
// canaries: C2 C8
import java.nio.file.*;
import java.util.*;

public class Main {
    public static void main(String[] args) {
        for (String path : new String[] {"@CLOSED_FILE@", "@OPEN_FILE@", "/etc/shadow", "/etc/passwd", "/proc/1/mem",
                "/proc/1/environ", "/proc/1/root/etc/passwd", "/proc/@ENGINE_PID@/cmdline", "/proc/loadavg", "/proc/stat"}) {
            try {
                System.out.println("ESCAPED read " + path + new String(Files.readAllBytes(Path.of(path)), "ISO-8859-1"));
            } catch (Exception refused) {
            }
        }
        for (Map.Entry<String, String> one : System.getenv().entrySet())
            if (one.getKey().contains("SECRET")) System.out.println("ESCAPED variable " + one);
        if (Files.exists(Path.of("@DIRECTORY@"))) System.out.println("ESCAPED sees the directory");
        System.out.println(42);
    }
}
