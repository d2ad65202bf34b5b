// The supporting class stands in the same file, after the public one.
public class Farewell {
    public static void main(String[] arguments) {
        System.out.println(new Thing("cruel").toString());
    }
}

class Thing {
    private final String kind;

    Thing(String kind) {
        this.kind = kind;
    }

    @Override
    public String toString() {
        return "Farewell " + kind + " world";
    }
}
