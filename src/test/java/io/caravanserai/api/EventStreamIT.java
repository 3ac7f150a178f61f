package io.caravanserai.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.order.Order;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.support.Ids;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventStreamIT {
    private static final Duration HEARTBEAT = Duration.ofMillis(500);
    private static final int STREAMS = 31;

    @TempDir
    private Path folder;

    private Store store;
    private Outbox outbox;
    private EventStream stream;
    private final Vertx vertx = Vertx.vertx();
    private HttpServer server;
    private final List<Socket> sockets = new ArrayList<>();

    @BeforeEach
    void start() {
        store = SqliteStore.open(folder);
        stream = new EventStream(new EventLog(store), STREAMS, HEARTBEAT).start();
        outbox = new Outbox(new Ids(), Clock.systemUTC(), List.of(), event -> stream.wake());
        Router router = Router.router(vertx);
        router.route("/events/stream").handler(stream);
        server = vertx.createHttpServer()
                .requestHandler(router)
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .join();
    }

    @AfterEach
    void stop() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
        stream.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        store.close();
    }

    private void happen(int events, int items) {
        EventData created = new EventData.OrderCreated(
                "C-1",
                Collections.nCopies(items, new Order.Item("SADDLE-01", 1, BigDecimal.ONE)),
                "EUR",
                BigDecimal.valueOf(items));
        CompletableFuture<?>[] written = new CompletableFuture<?>[events];
        for (int i = 0; i < events; i++) {
            written[i] = store.write("test", "order", tx -> outbox.append(tx, "order", created, 1, EventContext.NONE));
        }
        CompletableFuture.allOf(written).join();
    }

    private Socket connect(String... headers) throws IOException {
        Socket socket = new Socket();
        sockets.add(socket);
        socket.connect(new InetSocketAddress("127.0.0.1", server.actualPort()));
        String request = "GET /events/stream HTTP/1.1\r\nHost: localhost\r\n" + String.join("\r\n", headers)
                + (headers.length == 0 ? "\r\n" : "\r\n\r\n");
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /** Reads the ids of the next events as a client. */
    private static List<Long> read(Socket socket, int count) {
        List<Long> ids = new ArrayList<>();
        try {
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            while (ids.size() < count) {
                String line = lines.readLine();
                if (line == null) {
                    throw new IllegalStateException("ended after " + ids.size());
                }
                if (line.startsWith("id: ")) {
                    ids.add(Long.parseLong(line.substring(4)));
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("broken after " + ids.size(), e);
        }
        return ids;
    }

    @Test
    void clientThatReadsNothingIsDisconnected() throws Exception {
        happen(1_500, 100);
        read(connect("Last-Event-ID: 0"), 1);

        await().until(() -> stream.listeners() == 0);
    }

    @Test
    void unknownEventIdStartsStreamAtEndOfLog() throws Exception {
        happen(3, 1);
        Socket reader = connect("Last-Event-ID: 4000000000");
        await().until(() -> stream.listeners() == 1);

        happen(2, 1);

        assertThat(read(reader, 2)).containsExactly(4L, 5L);
    }

    @Test
    void manyClientsReceiveEveryEventOnceAndInOrder() throws Exception {
        happen(10, 1);
        List<CompletableFuture<List<Long>>> heard = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            Socket reader = connect("Last-Event-ID: " + i % 10);
            int first = i % 10;
            heard.add(
                    CompletableFuture.supplyAsync(() -> read(reader, 2_010 - first), task -> new Thread(task).start()));
        }

        happen(2_000, 1);

        for (int i = 0; i < heard.size(); i++) {
            assertThat(heard.get(i).get())
                    .containsExactlyElementsOf(
                            LongStream.rangeClosed(i % 10 + 1, 2_010).boxed().toList());
        }
    }

    @Test
    void streamAboveLimitGets503UntilAnotherStreamEnds() throws Exception {
        for (int i = 0; i < STREAMS; i++) {
            connect();
        }
        await().until(() -> stream.listeners() == STREAMS);

        Socket tooMany = connect("Connection: close");
        String answer = new String(tooMany.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(answer)
                .startsWith("HTTP/1.1 503 ")
                .containsIgnoringCase("\r\nRetry-After: 10\r\n")
                .contains("application/problem+json", "hub.http.streams");

        sockets.get(0).close();
        await().until(() -> stream.listeners() == STREAMS - 1);
        happen(1, 1);
        await().until(() -> {
            Socket next = connect("Last-Event-ID: 0");
            String line =
                    new BufferedReader(new InputStreamReader(next.getInputStream(), StandardCharsets.UTF_8)).readLine();
            return line.startsWith("HTTP/1.1 200 ");
        });
    }

    @Test
    void headRequestOpensNoStream() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", server.actualPort())) {
            socket.getOutputStream()
                    .write("HEAD /events/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer)
                    .startsWith("HTTP/1.1 200 ")
                    .contains("text/event-stream")
                    .endsWith("\r\n\r\n");
        }
        assertThat(stream.listeners()).isZero();
    }

    @Test
    void moreClientsMakeStreamGatherEventsForLonger() {
        for (int listeners = 1; listeners <= 100_000; listeners *= 10) {
            double writesPerSecond = listeners * 1_000.0 / EventStream.gatherMillis(listeners);
            assertThat(writesPerSecond).isLessThanOrEqualTo(Math.max(1_000, listeners));
        }
        assertThat(EventStream.gatherMillis(1)).isLessThan(50);
    }
}
