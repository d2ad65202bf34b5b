// The name of the class stands after two modifiers.
public final strictfp class FinalStrictGreeting {
    public static void main(String[] arguments) {
        System.out.println("Hello, World!");
    }
}
