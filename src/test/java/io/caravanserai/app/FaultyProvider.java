package io.caravanserai.app;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * A payment provider on a port of its own, with faults chosen by a test. {@code POST /charges} charges once for each
 * idempotency key, {@code POST /refunds} refunds. Declines customers with an id that ends with "poor".
 */
public final class FaultyProvider implements AutoCloseable {

    /** The fault of a request. */
    public enum Fault {
        NONE,
        /** Answers correctly, shortly before the timeout. */
        SLOW,
        /** Answers 500 without an effect. */
        ERROR,
        /** Answers 500 after the effect. */
        ERROR_AFTER,
        /** Resets the connection after the effect. */
        RESET,
        /** Sends an incomplete answer after the effect. */
        HALF_ANSWER,
        /** Answers 200 with an HTML page, without an effect. */
        PAGE,
        /** Answers after the timeout, after the effect. */
        LATE,
        /** Answers 202, without an effect yet. */
        PENDING,
        /** Never answers, after the effect. */
        HANG
    }

    /** @param headers names in lower case */
    public record Request(String path, Map<String, String> headers, String body) {
        public String orderId() {
            return headers.getOrDefault("orderid", "");
        }

        public String key() {
            return headers.getOrDefault("idempotency-key", "");
        }
    }

    private final int port;
    private final long slowMillis;
    private final long lateMillis;
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private final Map<String, Set<String>> chargeKeys = new HashMap<>();
    private final Set<String> refunded = new HashSet<>();
    private final Set<String> refundAsked = new HashSet<>();
    private final List<String> violations = new CopyOnWriteArrayList<>();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicInteger mostInFlight = new AtomicInteger();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Function<Request, Fault> faults = request -> Fault.NONE;
    private volatile ToIntFunction<Request> statuses = request -> 0;
    private volatile ServerSocket server;

    /**
     * @param slowMillis delay of a slow answer
     * @param lateMillis delay of a late answer: longer than the timeout of the hub
     */
    public FaultyProvider(long slowMillis, long lateMillis) throws IOException {
        this.port = FreePort.take();
        this.slowMillis = slowMillis;
        this.lateMillis = lateMillis;
        up();
    }

    public int port() {
        return port;
    }

    public void faults(Function<Request, Fault> chosen) {
        faults = chosen;
    }

    /** Answers requests with a status, without an effect; a request with the status 0 is handled normally. */
    public void statuses(ToIntFunction<Request> chosen) {
        statuses = chosen;
    }

    /** Accepts connections again. */
    public void up() throws IOException {
        ServerSocket listening = new ServerSocket();
        listening.setReuseAddress(true);
        listening.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
        server = listening;
        executor.execute(() -> accept(listening));
    }

    /** Refuses connections and closes open connections until {@link #up}. */
    public void down() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private void accept(ServerSocket listening) {
        try {
            while (true) {
                Socket socket = listening.accept();
                sockets.add(socket);
                executor.execute(() -> serve(socket));
            }
        } catch (IOException e) {
            // The provider is down.
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            for (Request request = read(in); request != null; request = read(in)) {
                mostInFlight.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
                try {
                    if (!answer(request, in, socket)) {
                        return;
                    }
                } finally {
                    inFlight.decrementAndGet();
                }
            }
        } catch (IOException e) {
            // The hub has closed the connection.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            sockets.remove(socket);
        }
    }

    private static Request read(InputStream in) throws IOException {
        String first = line(in);
        if (first == null || first.isEmpty()) {
            return null;
        }
        Map<String, String> headers = new HashMap<>();
        for (String line = line(in); line != null && !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
        return new Request(first.split(" ")[1], headers, body);
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0; c = in.read()) {
            if (c == '\n') {
                return line.toString().stripTrailing();
            }
            line.append((char) c);
        }
        return null;
    }

    /** Answers a request; returns false when the connection is not usable any more. */
    private boolean answer(Request request, InputStream in, Socket socket) throws IOException, InterruptedException {
        requests.add(request);
        // The hub sent this request in time, but the provider read the request too late: the hub has closed the
        // connection since.
        if (isAfterItsRefund(request) && !isClosed(in, socket)) {
            violations.add("charge of " + request.orderId() + " sent after its refund");
        }
        OutputStream out = socket.getOutputStream();
        int refusal = statuses.applyAsInt(request);
        if (refusal != 0) {
            write(out, refusal, "application/json", "{\"reason\": \"as the test wants\"}");
            return true;
        }
        Fault fault = faults.apply(request);
        switch (fault) {
            case ERROR -> write(out, 500, "text/plain", "try again");
            case PENDING -> write(out, 202, "application/json", "{\"status\": \"pending\"}");
            case PAGE -> write(out, 200, "text/html", "<!DOCTYPE html><html><body>Please log in</body></html>");
            case ERROR_AFTER -> {
                act(request);
                write(out, 500, "text/plain", "try again");
            }
            case RESET -> {
                act(request);
                socket.setSoLinger(true, 0);
                return false;
            }
            case HALF_ANSWER -> {
                act(request);
                out.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"taken\":".getBytes(StandardCharsets.UTF_8));
                out.flush();
                return false;
            }
            case HANG -> {
                act(request);
                closed.await(60, TimeUnit.SECONDS);
                return false;
            }
            default -> {
                int status = act(request);
                long pause = fault == Fault.LATE ? lateMillis : fault == Fault.SLOW ? slowMillis : 0;
                closed.await(pause, TimeUnit.MILLISECONDS);
                write(out, status, "application/json", "{\"taken\": " + (status == 200) + "}");
            }
        }
        return true;
    }

    private static void write(OutputStream out, int status, String type, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        out.write(("HTTP/1.1 " + status + " X\r\nContent-Type: " + type + "\r\nContent-Length: " + bytes.length
                        + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        out.write(bytes);
        out.flush();
    }

    private synchronized boolean isAfterItsRefund(Request request) {
        if (request.path().equals("/refunds")) {
            refundAsked.add(request.orderId());
            return false;
        }
        return refundAsked.contains(request.orderId());
    }

    private static boolean isClosed(InputStream in, Socket socket) throws IOException {
        socket.setSoTimeout(100);
        in.mark(1);
        try {
            return in.read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } finally {
            in.reset();
            socket.setSoTimeout(0);
        }
    }

    private synchronized int act(Request request) {
        if (request.path().equals("/refunds")) {
            refunded.add(request.orderId());
            return 200;
        }
        if (request.body().contains("poor\"")) {
            return 402;
        }
        chargeKeys.computeIfAbsent(request.orderId(), none -> new HashSet<>()).add(request.key());
        return 200;
    }

    /** Number of charges of the order: one for each key. */
    public synchronized int charges(String orderId) {
        return chargeKeys.getOrDefault(orderId, Set.of()).size();
    }

    /** Whether the provider holds money for the order. */
    public synchronized boolean keeps(String orderId) {
        return chargeKeys.containsKey(orderId) && !refunded.contains(orderId);
    }

    public synchronized boolean hasRefunded(String orderId) {
        return refunded.contains(orderId);
    }

    /** Returns violations of the rules for the hub. */
    public List<String> violations() {
        return violations;
    }

    /** All requests, in order of arrival. */
    public List<Request> requests() {
        return requests;
    }

    public int mostInFlight() {
        return mostInFlight.get();
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        down();
        executor.shutdownNow();
    }
}
