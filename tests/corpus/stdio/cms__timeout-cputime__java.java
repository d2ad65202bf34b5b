// Right, and then computes for ever.
import java.util.Scanner;

public class Main {
    static volatile long turns;

    public static void main(String[] arguments) {
        System.out.println("correct " + new Scanner(System.in).nextInt());
        System.out.flush();
        while (turns >= 0) {
            turns = (turns + 1) % 1000;
        }
    }
}
