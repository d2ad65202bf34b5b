// Compiles, but has nowhere to begin: its main method takes no arguments and is not static.
public class Greeting {
    public void main() {
        System.out.println("Hello, World!");
    }
}
