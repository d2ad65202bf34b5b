// An abstract class may have a main method, and its file is named after it.
public abstract class AbstractGreeting {
    public static void main(String[] arguments) {
        System.out.println("Hello, World!");
    }
}
