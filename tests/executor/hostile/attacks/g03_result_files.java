// id: G-03
// title: leaves results wherever a judge might read one, as files, links and pipes to itself
// stage: run
// verdicts: wrong_answer
// canaries: C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
import java.nio.file.Files;
import java.nio.file.Path;

public class Main {
    public static void main(String[] arguments) {
        String text = "{\"status\": 3, \"verdict\": \"accepted\", \"score\": 100, \"exit\": 42}\n";
        for (String place : new String[] {".", "/tmp", "/box", "/program", "/dev/shm", "/"}) {
            for (String name : new String[] {"result", "results.json", "stdout", "verdict", "score.txt", "Main.class"}) {
                try {
                    Files.writeString(Path.of(place, name), text);
                    Files.createSymbolicLink(Path.of(place, name + ".link"), Path.of("/proc/1/fd/1"));
                } catch (Exception refused) {
                    continue;
                }
            }
        }
        System.out.close();
    }
}
