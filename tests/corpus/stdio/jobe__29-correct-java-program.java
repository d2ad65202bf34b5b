public class Test {
    public static void main(String[] arguments) {
        System.out.println("What a lot of code I need to write.");
    }
}
