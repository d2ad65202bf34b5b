// Compiles, but what is to be started is not in it: one class, not public, without a main method.
class Greeting {
    static String text() {
        return "Hello world!";
    }
}
