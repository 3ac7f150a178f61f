package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An order ends in the flow version where the order began, despite an edit during the order and a kill right after. */
class FlowEditCrashIT {
    private static final String FILE = "order-request-reply.camel.yaml";

    @TempDir
    Path folder;

    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch opened = new CountDownLatch(1);
    private HttpServer gate;
    private Path routes;
    private Path marks;
    private Rest rest;

    /** Calls are answered once the gate is open. */
    @BeforeEach
    void closeGate() throws IOException {
        gate = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        gate.setExecutor(Executors.newCachedThreadPool());
        gate.createContext("/", exchange -> {
            reached.countDown();
            try {
                opened.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        gate.start();
    }

    @AfterEach
    void removeGate() {
        opened.countDown();
        gate.stop(0);
    }

    private String waitAtTheGate() {
        return "to: {uri: \"http://127.0.0.1:" + gate.getAddress().getPort()
                + "/?httpMethod=POST\", variableReceive: gate}";
    }

    @ParameterizedTest(name = "in {0}, to {1}")
    @CsvSource({"create-order,NL", "reserve-items,NL", "process-payment,NL", "ship-order,NL", "ship-order,AQ"})
    void ordersEndAfterEditAndKillDuringStep(String step, String country) throws Exception {
        marks = folder.resolve("marks");
        routes = Files.createDirectory(folder.resolve("routes"));
        String original = Files.readString(Path.of("src/main/resources/routes", FILE));
        String call = "              - to: direct:" + step + "\n";
        String held = original.replace(call, "              - " + waitAtTheGate() + "\n" + call);
        assertThat(held).isNotEqualTo(original);
        Files.writeString(routes.resolve(FILE), held);
        try (HubProcess hub = new HubProcess(Distribution.built(), folder.resolve("run/data"))
                .set("hub.routes.dir", routes.toString())
                .set("hub.saga.timeout", "1h")) {
            rest = new Rest(hub.url());
            hub.start().awaitReady();
            rest.put("/stock/BELL", "{\"onHand\": 100}");
            rest.post("/orders", order("began", country), "Prefer", "respond-async");
            assertThat(reached.await(60, TimeUnit.SECONDS)).isTrue();

            Files.writeString(routes.resolve(FILE), marking(original));
            await().until(() -> version() == 2);
            assertThat(ended("began").path("status").asText()).isIn("CREATED", "RESERVED", "PAID");
            hub.kill9();
            opened.countDown();
            hub.start().awaitReady();
            rest.post("/orders", order("came-later", country));

            String end = country.equals("AQ") ? "CANCELLED" : "SHIPPED";
            for (String id : Set.of("began", "came-later")) {
                await().until(() -> ended(id).path("status").asText().equals(end));
            }
            assertThat(ended("began").path("flowVersion").asInt()).isEqualTo(1);
            assertThat(ended("came-later").path("flowVersion").asInt()).isEqualTo(2);
            assertThat(marks.resolve("began")).doesNotExist();
            assertThat(marks.resolve("came-later")).exists();
            await().until(() -> flow().path("versions").size() == 1);
        }
    }

    @Test
    void ordersEndAfterEditOfKameletAndKillDuringItsSteps() throws Exception {
        marks = folder.resolve("marks");
        routes = Files.createDirectory(folder.resolve("routes"));
        Path kamelet = Files.createDirectory(folder.resolve("kamelets")).resolve("note.kamelet.yaml");
        String original = Files.readString(Path.of("src/main/resources/routes", FILE));
        String ship = "              - to: direct:ship-order\n";
        Files.writeString(routes.resolve(FILE), original.replace(ship, "              - to: kamelet:note\n" + ship));
        Files.writeString(kamelet, note(waitAtTheGate()));
        try (HubProcess hub = new HubProcess(Distribution.built(), folder.resolve("run/data"))
                .set("hub.routes.dir", routes.toString())
                .set("hub.saga.timeout", "1h")) {
            rest = new Rest(hub.url());
            hub.start().awaitReady();
            rest.put("/stock/BELL", "{\"onHand\": 100}");
            rest.post("/orders", order("began", "NL"), "Prefer", "respond-async");
            assertThat(reached.await(60, TimeUnit.SECONDS)).isTrue();

            Files.writeString(kamelet, note("toD: file:" + marks + "?fileName=${header.orderId}&allowNullBody=true"));
            await().until(() -> version() == 2);
            assertThat(ended("began").path("status").asText()).isIn("CREATED", "RESERVED", "PAID");
            hub.kill9();
            opened.countDown();
            hub.start().awaitReady();
            rest.post("/orders", order("came-later", "NL"));

            for (String id : Set.of("began", "came-later")) {
                await().until(() -> ended(id).path("status").asText().equals("SHIPPED"));
            }
            assertThat(ended("began").path("flowVersion").asInt()).isEqualTo(1);
            assertThat(ended("came-later").path("flowVersion").asInt()).isEqualTo(2);
            assertThat(marks.resolve("began")).doesNotExist();
            assertThat(marks.resolve("came-later")).exists();
            assertThat(rest.get("/flows/" + FILE + "/versions")
                            .body()
                            .path("items")
                            .path(0)
                            .path("kamelets")
                            .toString())
                    .isEqualTo("[\"note\"]");
        }
    }

    private static String note(String step) {
        return """
                apiVersion: camel.apache.org/v1
                kind: Kamelet
                metadata:
                  name: note
                spec:
                  definition:
                    title: Note
                  template:
                    from:
                      uri: kamelet:source
                      steps:
                        - %s
                """.formatted(step);
    }

    /** Adds a marker for each shipped or refunded order. */
    private String marking(String text) {
        String mark = "toD: file:" + marks + "?fileName=${header.orderId}&allowNullBody=true\n";
        return text.replace(
                                "              - to: direct:ship-order\n",
                                "              - " + mark + "              - to: direct:ship-order\n")
                        .replace("uri: direct:refund-payment", "uri: direct:marked-refund")
                + """

                - route:
                    id: marked-refund
                    from:
                      uri: direct:marked-refund
                      steps:
                        - %s        - to: direct:refund-payment
                """.formatted(mark);
    }

    private static String order(String id, String country) {
        return new TestOrder(id, "BELL", 1, BigDecimal.TEN, "pm_card_visa", country, Set.of()).json();
    }

    private JsonNode ended(String id) throws IOException {
        return rest.get("/orders/" + id).body();
    }

    private JsonNode flow() throws IOException {
        return rest.get("/flows").body().path("items").path(0);
    }

    private int version() throws IOException {
        return flow().path("version").asInt();
    }
}
