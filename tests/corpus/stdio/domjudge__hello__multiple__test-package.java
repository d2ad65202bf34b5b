// The class lies in a package, which a judge finds out, or refuses.
package greetings;

public class Main {
    public static void main(String[] arguments) {
        System.out.println("Hello world!");
    }
}
