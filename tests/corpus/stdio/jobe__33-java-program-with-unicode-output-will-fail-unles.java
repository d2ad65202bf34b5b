public class Test {
    public static void main(String[] arguments) {
        System.out.println("Un rôle délétère");
    }
}
