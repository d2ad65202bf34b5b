// Knows the answer to the first input only.
import java.util.Scanner;

public class Main {
    public static void main(String[] arguments) {
        int number = new Scanner(System.in).nextInt();
        System.out.println("correct " + Math.min(number, 1));
    }
}
