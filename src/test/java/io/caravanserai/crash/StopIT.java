package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.app.FreePort;
import io.caravanserai.app.RawHttp;
import io.caravanserai.broker.ArtemisProcess;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Start and stop of the packaged hub, seen by connected clients. */
class StopIT {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final TestOrder SLOW =
            new TestOrder("slow", "SADDLE-01", 1, BigDecimal.TEN, "pm_slow_60000", "NL", Set.of());
    private static final String HOST = " HTTP/1.1\r\nHost: localhost\r\n";

    @TempDir
    Path folder;

    private static int port(HubProcess hub) {
        return Integer.parseInt(hub.url().substring(hub.url().lastIndexOf(':') + 1));
    }

    @Test
    void noKindOfClientDelaysTheStop() throws Exception {
        try (HubProcess hub =
                new HubProcess(Distribution.built(), folder.resolve("run/data")).set("hub.saga.timeout", "1h")) {
            hub.start().awaitReady();
            int port = port(hub);
            Rest rest = new Rest(hub.url());
            String post = "POST /orders" + HOST + "Content-Type: application/json\r\nPrefer: wait=100\r\n";
            try (RawHttp waiting = new RawHttp(port)
                            .send(post + "Content-Length: " + SLOW.json().length() + "\r\n\r\n" + SLOW.json());
                    RawHttp halfHead = new RawHttp(port).send("POST /orders HTTP/1.1\r\nHost:");
                    RawHttp halfBody = new RawHttp(port).send(post + "Content-Length: 1000\r\n\r\n{");
                    RawHttp deafStream =
                            new RawHttp(port).send("GET /events/stream" + HOST + "Last-Event-ID: 0\r\n\r\n");
                    RawHttp idle = new RawHttp(port);
                    Socket halfStomp = new Socket("127.0.0.1", hub.jmsPort());
                    Socket silentJms = new Socket("127.0.0.1", hub.jmsPort())) {
                halfStomp.getOutputStream().write("CONNECT\naccept-version:1.2\n".getBytes(StandardCharsets.UTF_8));
                await().until(() -> rest.get("/orders/slow").status() == 200);

                assertThat(hub.stop()).isLessThan(LIMIT);

                assertThat(hub.awaitEnd()).isZero();
                assertThat(waiting.answer().status()).isEqualTo(202);
                await().until(halfHead::isClosedByServer);
                await().until(halfBody::isClosedByServer);
                await().until(deafStream::isClosedByServer);
                await().until(idle::isClosedByServer);
                assertThat(silentJms.getInputStream().readAllBytes()).isEmpty();
            }
            assertThat(hub.log()).doesNotContain("\tat ", "ERROR", "did not stop in time");
        }
    }

    @Test
    void everyResponseIsFromHubFromStartToStop() throws Exception {
        try (HubProcess hub = new HubProcess(Distribution.built(), folder.resolve("run/data"))) {
            hub.start();
            Set<Integer> posted = new TreeSet<>();
            Set<Integer> live = new TreeSet<>();
            // In turn and without a pause: the relevant moments are short.
            boolean served = false;
            while (!served) {
                int status = status(hub, "GET /orders/none");
                served = status == 404;
                if (!served) {
                    posted.add(status);
                }
                int alive = status(hub, "GET /observe/health/live");
                live.add(alive);
            }
            assertThat(posted).containsOnly(0, 503);
            assertThat(live).containsOnly(0, 200);

            CompletableFuture<Duration> stopping = CompletableFuture.supplyAsync(hub::stop);
            Set<Integer> late = new TreeSet<>();
            while (hub.isAlive()) {
                late.add(status(hub, "GET /stock"));
            }
            assertThat(stopping.join()).isLessThan(LIMIT);
            assertThat(late).isSubsetOf(0, 200, 503).contains(503);
            assertThat(hub.awaitEnd()).isZero();
        }
    }

    /** Returns 0 without a response: no server listens yet, or any more. */
    private static int status(HubProcess hub, String request) throws IOException {
        try {
            RawHttp.Answer answer = RawHttp.ask(port(hub), request + HOST + "Connection: close\r\n\r\n");
            if (answer == null) {
                return 0;
            }
            if (answer.status() == 503) {
                assertThat(answer.header("Retry-After")).isNotEmpty();
                assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
            }
            return answer.status();
        } catch (SocketException e) {
            // Refused, or disconnected by the end of the process.
            return 0;
        }
    }

    @Test
    void stopDuringStartEndsCleanly() throws Exception {
        try (HubProcess hub = new HubProcess(Distribution.built(), folder.resolve("run/data"))) {
            hub.start();
            await().pollInterval(Duration.ofMillis(10)).until(() -> status(hub, "GET /stock") == 503);
            assertThat(hub.stop()).isLessThan(LIMIT);
            assertThat(hub.awaitEnd()).isZero();
            hub.start().awaitReady();
        }
    }

    @Test
    void unresponsiveOutsideBrokerDoesNotDelayTheStop() throws Exception {
        int brokerPort = FreePort.take();
        try (ArtemisProcess broker = ArtemisProcess.start(folder.resolve("broker"), brokerPort);
                HubProcess hub = new HubProcess(Distribution.built(), folder.resolve("run/data"))
                        .set("hub.jms.url", "tcp://127.0.0.1:" + brokerPort)
                        .set("hub.saga.timeout", "1h")) {
            hub.start().awaitReady();
            Rest rest = new Rest(hub.url());
            broker.freeze();
            for (String style : Set.of("queue", "pubsub", "choreography")) {
                TestOrder order = new TestOrder(style, "SADDLE-01", 1, BigDecimal.TEN, "pm_card_visa", "NL", Set.of());
                rest.post("/orders?style=" + style, order.json(), "Prefer", "respond-async");
            }
            assertThat(hub.stop()).isLessThan(LIMIT);
            assertThat(hub.awaitEnd()).isZero();
        }
    }
}
