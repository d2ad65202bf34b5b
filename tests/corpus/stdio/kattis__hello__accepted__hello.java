public class hello {
    public static void main(String[] arguments) {
        System.out.print("Hello World!\n");
    }
}
