// id: S-01
// title: hands in files of the names that the compiler is about to write
// stage: compile
// verdicts: accepted compilation_error runtime_error
// canaries: C2 C8
// files: Main.class=nothing; Inner.class=nothing
public class Main {
    static class Inner { int value = 42; }

    public static void main(String[] args) { System.out.println(new Inner().value); }
}
