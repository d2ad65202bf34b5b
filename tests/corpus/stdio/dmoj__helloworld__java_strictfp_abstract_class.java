// The name of the class stands after two modifiers.
public strictfp abstract class StrictAbstractGreeting {
    public static void main(String[] arguments) {
        System.out.println("Hello, World!");
    }
}
