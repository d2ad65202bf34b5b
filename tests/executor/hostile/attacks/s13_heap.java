// id: S-13
// title: fills memory outside the heap and metaspace beside it
// stage: run
// verdicts: memory_limit_exceeded
// canaries: C5 escaped C8
// wall_limit_ms: 3000
import java.nio.ByteBuffer;
import java.util.*;

public class Main {
    public static void main(String[] args) {
        List<ByteBuffer> pieces = new ArrayList<>();
        for (int count = 0; count < 1200; count++) {
            ByteBuffer piece = ByteBuffer.allocateDirect(1 << 20);
            for (int at = 0; at < piece.capacity(); at += 4096) piece.put(at, (byte) 1);
            pieces.add(piece);
        }
        System.out.println("ESCAPED 1200 MiB of memory");
    }
}
