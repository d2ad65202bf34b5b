// id: S-19
// title: sends to listeners of this machine
// stage: run
// verdicts: accepted
// canaries: C1 C8
// wall_limit_ms: 4000
import java.net.*;
import java.nio.channels.SocketChannel;

public class Main {
    interface Act { void now() throws Exception; }

    static void attempt(Act act) {
        try { act.now(); } catch (Exception refused) { }
    }

    public static void main(String[] args) {
        byte[] mark = "@MARK@".getBytes();
        attempt(() -> new Socket("127.0.0.1", Integer.parseInt("@TCP_PORT@")).getOutputStream().write(mark));
        attempt(() -> new Socket("::1", Integer.parseInt("@TCP6_PORT@")).getOutputStream().write(mark));
        attempt(() -> new DatagramSocket().send(
            new DatagramPacket(mark, mark.length, InetAddress.getByName("127.0.0.1"), Integer.parseInt("@UDP_PORT@"))));
        attempt(() -> SocketChannel.open(UnixDomainSocketAddress.of("@UNIX_PATH@")).close());
        System.out.println(42);
    }
}
