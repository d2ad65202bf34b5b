// Nobody says how the file is to be named, but for the class.
public class WhatALot {
    private static String text() {
        return String.join(" ", "What a lot", "of code", "I need", "to write.");
    }

    public static void main(String[] arguments) {
        System.out.println(text());
    }
}
