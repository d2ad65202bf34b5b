// id: L-01
// title: every file it may read on all mounts and in /proc, and every property and variable
// stage: run
// verdicts: wrong_answer accepted
// canaries: C2 C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Main {
    static final Pattern WORD = Pattern.compile("PLANTED-[a-z]+-[0-9a-f]{16}");
    static final Set<String> found = new TreeSet<>();
    static int looked = 0;

    static void look(String text, Set<String> into) {
        for (Matcher match = WORD.matcher(text); match.find();) into.add(match.group());
    }

    public static void main(String[] arguments) throws IOException {
        Set<String> own = new HashSet<>();
        look(new String(System.in.readAllBytes(), "ISO-8859-1"), own);
        look(System.getenv() + " " + System.getProperties() + " " + String.join(" ", arguments), found);
        Files.walkFileTree(Path.of("/"), new SimpleFileVisitor<>() {
            @Override public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes info) {
                boolean skips = Set.of("/usr", "/dev", "/sys").contains(path.toString()) || path.getNameCount() > 10;
                look(path.toString(), found);
                return skips ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override public FileVisitResult visitFile(Path path, BasicFileAttributes info) {
                look(path.toString(), found);
                try {
                    if (info.isSymbolicLink()) look(Files.readSymbolicLink(path).toString(), found);
                    else try (var file = Files.newInputStream(path)) {
                        look(new String(file.readNBytes(1 << 16), "ISO-8859-1"), found);
                        looked++;
                    }
                } catch (IOException refused) {
                    return FileVisitResult.CONTINUE;
                }
                return FileVisitResult.CONTINUE;
            }

            @Override public FileVisitResult visitFileFailed(Path path, IOException error) {
                return FileVisitResult.CONTINUE;
            }
        });
        found.removeAll(own);
        System.err.println("looked into " + looked);
        for (String word : found) System.err.println("ESCAPED " + word);
        System.out.println(found.stream().filter(word -> word.contains("-expected-")).findFirst().orElse(""));
    }
}
