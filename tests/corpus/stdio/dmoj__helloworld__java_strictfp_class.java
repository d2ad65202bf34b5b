// The name of the class stands after a modifier that hardly anybody knows.
public strictfp class StrictGreeting {
    public static void main(String[] arguments) {
        System.out.println("Hello, World!");
    }
}
