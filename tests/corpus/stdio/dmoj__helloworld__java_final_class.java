// The name of the class stands after a modifier.
public final class FinalGreeting {
    public static void main(String[] arguments) {
        System.out.println("Hello, World!");
    }
}
