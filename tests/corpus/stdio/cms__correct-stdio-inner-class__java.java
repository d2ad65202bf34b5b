// Right, and spread over classes within a class: nested, inner, local and anonymous ones.
import java.util.Scanner;
import java.util.function.IntFunction;

public class Classes {
    private final String word = "correct";

    static class Input {
        private final Scanner scanner = new Scanner(System.in);

        int number() {
            return scanner.nextInt();
        }
    }

    class Answer {
        String to(int number) {
            class Joined {
                String text() {
                    return word + " " + number;
                }
            }
            return new Joined().text();
        }
    }

    public static void main(String[] arguments) {
        Answer answer = new Classes().new Answer();
        IntFunction<String> answered = new IntFunction<>() {
            @Override
            public String apply(int number) {
                return answer.to(number);
            }
        };
        System.out.println(answered.apply(new Input().number()));
    }
}
