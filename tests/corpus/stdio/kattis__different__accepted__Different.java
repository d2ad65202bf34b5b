import java.util.Scanner;

public class Different {
    public static void main(String[] arguments) {
        Scanner input = new Scanner(System.in);
        while (input.hasNextLong()) {
            long first = input.nextLong();
            System.out.println(Math.abs(first - input.nextLong()));
        }
    }
}
