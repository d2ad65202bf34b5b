// id: G-12
// title: counts its runs in every file it can write and in the times of its own
// stage: run
// verdicts: accepted wrong_answer
// canaries: C4 C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;

public class Main {
    public static void main(String[] arguments) throws Exception {
        int count = 1;
        for (String place : new String[] {".", "/tmp", "/var/tmp", "/dev/shm", "/program", "/box", "/", "/run", "/tmp/hsperfdata"}) {
            Path path = Path.of(place, "seen");
            try {
                Files.setLastModifiedTime(Path.of(place), FileTime.fromMillis(777000));
                if (Files.exists(path)) count = (int) Files.size(path) + 1;
                Files.writeString(path, "x", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (Exception refused) {
                continue;
            }
        }
        try {
            Files.setLastModifiedTime(Path.of("Main.class"), FileTime.fromMillis(777000));
            count = 2;
        } catch (Exception refused) {
            System.err.println("its own class stays as it is");
        }
        System.out.println(count);
        System.out.flush();
    }
}
