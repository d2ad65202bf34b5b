import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Scanner;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Uses what programs of students use, so that the classes they load are known. What it computes means nothing. */
public class Training {
    interface Shape {
        double area();
    }

    record Square(double side) implements Shape {
        public double area() {
            return side * side;
        }
    }

    enum Color { RED, GREEN }

    static class Node<T extends Comparable<T>> {
        final T value;
        Node<T> left, right;

        Node(T value) {
            this.value = value;
        }

        void add(T other) {
            if (other.compareTo(value) < 0) {
                if (left == null) left = new Node<>(other); else left.add(other);
            } else {
                if (right == null) right = new Node<>(other); else right.add(other);
            }
        }
    }

    static <K, V extends Comparable<V>> List<K> byValue(Map<K, V> map) {
        return map.entrySet().stream().sorted(Map.Entry.comparingByValue()).map(Map.Entry::getKey).toList();
    }

    static long power(long base, long exponent, long modulus) {
        long result = 1;
        for (; exponent > 0; exponent >>= 1, base = base * base % modulus) if ((exponent & 1) == 1) result = result * base % modulus;
        return result;
    }

    static void read() throws Exception {
        Scanner scanner = new Scanner("3 4.5 word\nnext line\n");
        int count = scanner.nextInt();
        double half = scanner.nextDouble();
        String word = scanner.next();
        scanner.nextLine();
        while (scanner.hasNextLine()) word += scanner.nextLine();
        new Scanner(System.in).hasNext();
        BufferedReader reader = new BufferedReader(new StringReader("1 2 3\n4"));
        StringTokenizer tokens = new StringTokenizer(reader.readLine());
        long sum = count;
        while (tokens.hasMoreTokens()) sum += Long.parseLong(tokens.nextToken());
        sum += Integer.parseInt(reader.readLine().trim());
        new BufferedReader(new InputStreamReader(System.in)).readLine();
        int[] numbers = Arrays.stream("5 6 7".split(" ")).mapToInt(Integer::parseInt).toArray();
        System.out.println("read " + sum + " " + half + word + " " + Arrays.toString(numbers));
    }

    static void collect() {
        Map<String, Integer> counts = new HashMap<>();
        for (String word : "a b a c".split("\\s+")) counts.merge(word, 1, Integer::sum);
        counts.computeIfAbsent("d", key -> 4);
        TreeMap<Integer, List<String>> sorted = new TreeMap<>(Comparator.reverseOrder());
        counts.forEach((word, count) -> sorted.computeIfAbsent(count, key -> new ArrayList<>()).add(word));
        Set<Integer> seen = new HashSet<>(List.of(1, 2, 3));
        seen.addAll(new TreeSet<>(seen).headSet(2));
        Deque<int[]> queue = new ArrayDeque<>();
        queue.add(new int[] {0, 0});
        PriorityQueue<long[]> heap = new PriorityQueue<>((one, other) -> Long.compare(one[0], other[0]));
        heap.add(new long[] {2, 1});
        heap.add(new long[] {1, 2});
        LinkedList<Character> letters = new LinkedList<>();
        for (char letter : "letters".toCharArray()) if (Character.isLetter(letter)) letters.addFirst(letter);
        Integer[] boxed = {3, 1, 2};
        Arrays.sort(boxed, Collections.reverseOrder());
        List<Integer> list = new ArrayList<>(Arrays.asList(boxed));
        Collections.sort(list);
        list.sort(Comparator.comparing((Integer n) -> -n).thenComparing(Function.identity()));
        Collections.shuffle(list, new Random(1));
        list.removeIf(n -> n > 2);
        BitSet bits = new BitSet(100);
        bits.set(3, 9);
        Map<String, List<Integer>> linked = new LinkedHashMap<>(Map.of("x", list));
        System.out.println(sorted + " " + seen + queue.poll()[0] + heap.poll()[1] + letters + list + bits + linked + byValue(counts));
    }

    static void stream() {
        List<Shape> shapes = Stream.of(1, 2, 3).map(n -> (Shape) new Square(n)).collect(Collectors.toList());
        double total = shapes.stream().mapToDouble(Shape::area).sum();
        Map<Boolean, List<Integer>> parts = IntStream.rangeClosed(1, 9).boxed().collect(Collectors.partitioningBy(n -> n % 2 == 0));
        Map<Integer, Long> groups = IntStream.range(0, 9).boxed().collect(Collectors.groupingBy(n -> n % 3, Collectors.counting()));
        String joined = shapes.stream().map(Object::toString).filter(s -> !s.isEmpty()).distinct().limit(2).collect(Collectors.joining(", ", "[", "]"));
        Optional<Integer> most = parts.get(true).stream().max(Integer::compare);
        int sum = IntStream.iterate(1, n -> n * 2).limit(5).reduce(0, Integer::sum);
        System.out.println(total + joined + groups + most.orElse(0) + sum + parts);
    }

    static void print() {
        StringBuilder text = new StringBuilder("abc").append(1).append('x').append(2.5).append(3L).reverse();
        text.insert(0, "é").setLength(4);
        System.out.printf("%d %5.2f %s %05d %x%n", 1, 2.0, text, 42, 255);
        System.out.println(String.format("%-5s|%,d", "a", 1234567) + String.join("-", List.of("p", "q")) + "z".repeat(3));
        PrintWriter writer = new PrintWriter(System.out);
        writer.println(new BigInteger("123456789012345678901234567890").pow(3).mod(BigInteger.TEN));
        writer.println(new BigDecimal("1.10").add(BigDecimal.ONE).setScale(1, java.math.RoundingMode.HALF_UP));
        writer.printf("%s %b %c%n", Color.GREEN, true, 'c');
        writer.flush();
        System.err.println("said");
    }

    static void fail() {
        try {
            Object none = null;
            System.out.println(new int[1][2][0].length + Integer.parseInt("x") + none.hashCode());
        } catch (NumberFormatException | NullPointerException error) {
            System.err.println(error.getMessage() + error.getStackTrace().length);
        }
        try {
            throw new IllegalStateException("state", new ArithmeticException("/ by zero"));
        } catch (IllegalStateException error) {
            error.printStackTrace();
        }
    }

    public static void main(String[] arguments) throws Exception {
        read();
        collect();
        stream();
        print();
        fail();
        Node<Integer> tree = new Node<>(5);
        for (int value : new int[] {3, 8, 1}) tree.add(value);
        long[][] grid = new long[3][4];
        for (long[] row : grid) Arrays.fill(row, power(3, 200, 1_000_000_007));
        var said = switch (Color.valueOf("RED")) {
            case RED -> "red";
            case GREEN -> "green";
        };
        Object any = tree.left;
        if (any instanceof Node<?> node) said += node.value;
        Thread thread = new Thread(() -> System.out.println("thread"));
        thread.start();
        thread.join();
        System.out.println(said + grid[1][2] + Math.sqrt(2) + Long.MAX_VALUE + System.nanoTime() % 2);
    }
}
