package io.caravanserai.app;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/** A TCP connection to an HTTP server, for requests that no HTTP client sends. Reads time out after two minutes. */
public final class RawHttp implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 120_000;

    private final Socket socket = new Socket();

    public RawHttp(int port) throws IOException {
        // Small, so that a client that reads nothing soon blocks the server.
        socket.setReceiveBufferSize(4_096);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.connect(new InetSocketAddress("127.0.0.1", port));
    }

    /** A response; the body ends at Content-Length or at the end of the connection. */
    public record Answer(int status, String head, String body) {
        /** Returns empty when the header is absent. */
        public String header(String name) {
            return head.lines()
                    .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                    .map(line -> line.substring(name.length() + 1).trim())
                    .findFirst()
                    .orElse("");
        }
    }

    /** Sends one request on a new connection and closes the connection. */
    public static Answer ask(int port, String request) throws IOException {
        try (RawHttp connection = new RawHttp(port)) {
            return connection.send(request).answer();
        }
    }

    public RawHttp send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
        return this;
    }

    /** Returns the next response; null when the connection ends first. */
    public Answer answer() throws IOException {
        String head = head();
        if (head.isEmpty()) {
            return null;
        }
        Answer bare = new Answer(Integer.parseInt(head.split(" ")[1]), head, "");
        InputStream in = socket.getInputStream();
        if (bare.status() == 204) {
            return bare;
        }
        String length = bare.header("Content-Length");
        byte[] body = length.isEmpty() ? in.readAllBytes() : in.readNBytes(Integer.parseInt(length));
        return new Answer(bare.status(), head, new String(body, StandardCharsets.UTF_8));
    }

    /** Returns the status of an interim response. */
    public int interim() throws IOException {
        return Integer.parseInt(head().split(" ")[1]);
    }

    /** Returns all bytes until the server closes the connection. */
    public String all() throws IOException {
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private String head() throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                return "";
            }
            head.write(next);
        }
        return head.toString(StandardCharsets.ISO_8859_1);
    }

    /** Whether the server closes the connection after all sent bytes. */
    public boolean isClosedByServer() throws IOException {
        socket.setSoTimeout(50);
        try {
            byte[] rest = new byte[8_192];
            while (socket.getInputStream().read(rest) >= 0) {
                continue;
            }
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            // Reset by the server.
            return true;
        } finally {
            socket.setSoTimeout(TIMEOUT_MILLIS);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
