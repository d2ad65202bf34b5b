// id: S-30
// title: leaves its mark in files, in preferences and in the shared data of the virtual machine
// stage: run
// verdicts: accepted
// canaries: C4 C8
// runs: 2
import java.nio.file.*;

public class Main {
    public static void main(String[] args) {
        for (String place : new String[] {"/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/program", "/",
                "/box", "/home", System.getProperty("java.home")}) {
            Path path = Path.of(place, "@MARK@");
            if (Files.exists(path)) System.out.println("RESIDUE in " + place);
            try {
                Files.createFile(path);
            } catch (Exception refused) {
            }
        }
        System.out.println(42);
    }
}
