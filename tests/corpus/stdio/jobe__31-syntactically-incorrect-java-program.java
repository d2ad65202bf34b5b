// A method without a type, and a statement without its end.
public class Test {
    public static main(String[] arguments) {
        System.out.println("Hello")
    }
}
