// The class has a name of its own, which a judge finds out, or refuses.
public class HelloFromAClassOfAnotherName {
    public static void main(String[] arguments) {
        System.out.println("Hello world!");
    }
}
