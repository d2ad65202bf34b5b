// Wrong on every input.
import java.util.Scanner;

public class Main {
    public static void main(String[] arguments) {
        int number = new Scanner(System.in).nextInt();
        System.out.println("incorrect " + number);
    }
}
