package io.caravanserai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OperatorsViewIT {
    private static final String POINTS = """

            - route:
                id: request-reply-points
                description: Grant loyalty points; take them back when the saga turns back.
                from:
                  uri: direct:request-reply-points
                  steps:
                    - saga:
                        propagation: MANDATORY
                        compensation:
                          uri: direct:take-points-back
                        option:
                          - key: orderId
                            expression:
                              header: orderId
                        steps:
                          - setHeader:
                              name: points
                              constant: "5"

            - route:
                id: take-points-back
                description: The loyalty programme takes the points back.
                from:
                  uri: direct:take-points-back
                  steps:
                    - to: http://127.0.0.1:%d/points?httpMethod=POST
            """;

    @TempDir
    static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        hub = TestHub.start(folder, Map.of("hub.saga.compensation.backoff", "20ms"));
        hub.put("/stock/SADDLE-01", "{\"onHand\": 1000}");
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"request-reply", "queue", "pubsub", "choreography"})
    void anOperatorsCancelIsAnEventBeforeWhatUndoesTheOrder(String style) {
        String id = "cancelled-" + style;
        hub.post("/orders?style=" + style, KafkaHub.order(id, "pm_slow_5000"), "Prefer", "respond-async");
        await().until(() ->
                hub.get("/orders/" + id).json().path("status").asText().equals("RESERVED"));

        assertThat(hub.post("/orders/" + id + "/cancel", "").status()).isEqualTo(202);

        await().until(() ->
                hub.get("/orders/" + id).json().path("status").asText().equals("CANCELLED"));
        List<String> types = new ArrayList<>();
        hub.get("/events?orderId=" + id)
                .json()
                .path("items")
                .forEach(event -> types.add(event.path("type").asText()));
        assertThat(types)
                .containsSubsequence(
                        "OrderCreated", "ItemsReserved", "OrderCancelRequested", "ItemsReleased", "OrderCancelled");
        assertThat(types).containsOnlyOnce("OrderCancelRequested");
        assertThat(hub.get("/orders/" + id).body()).contains("\"OrderCancelRequested\"");
        assertThat(hub.get("/schemas/OrderCancelRequested/v1").status()).isEqualTo(200);
    }

    @Test
    void aCompensationOfTheFlowsOwnIsInTheHistoryWithItsAttempts() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        HttpServer points = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        points.createContext("/points", exchange -> {
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(calls.incrementAndGet() == 1 ? 500 : 204, -1);
            exchange.close();
        });
        points.start();
        String path = "/flows/order-request-reply.camel.yaml";
        String before = hub.get(path).body();
        try {
            String text = before.replace(
                            "              - to: direct:request-reply-ship",
                            "              - to: direct:request-reply-points\n"
                                    + "              - to: direct:request-reply-ship")
                    + POINTS.formatted(points.getAddress().getPort());
            assertThat(hub.put(path, text, "Content-Type", "application/yaml").status())
                    .isEqualTo(200);

            assertThat(hub.post("/orders", KafkaHub.order("points", "SADDLE-01", "pm_card_visa", "AQ"))
                            .status())
                    .isEqualTo(409);

            List<String> compensations = new ArrayList<>();
            hub.get("/orders/points").json().path("history").forEach(entry -> {
                if (entry.path("kind").asText().equals("compensation")) {
                    compensations.add(entry.path("name").asText() + " "
                            + entry.path("outcome").asText() + " "
                            + entry.path("attempt").asInt());
                }
            });
            assertThat(compensations)
                    .containsExactly(
                            "take-points-back retrying 1",
                            "take-points-back done 2",
                            "refund-payment done 1",
                            "release-items done 1",
                            "cancel-order done 1");
        } finally {
            hub.put(path, before, "Content-Type", "application/yaml");
            points.stop(0);
        }
    }

    @Test
    void everyFamilyOfMetersIsExplainedAndInBaseUnits() {
        assertThat(hub.post("/orders", KafkaHub.order("measured", "pm_card_visa"))
                        .status())
                .isEqualTo(201);
        String text = hub.get("/observe/metrics").body();
        for (String line :
                text.lines().filter(each -> each.startsWith("# TYPE ")).toList()) {
            String family = line.split(" ")[2];
            assertThat(text).containsPattern("(?m)^# HELP " + family + " \\S");
        }
        assertThat(text)
                .doesNotContain("_ns_total")
                .containsPattern("(?m)^process_cpu_seconds_total [0-9.E]+")
                .contains("hub_orders_ended_total{reason=\"\",status=\"SHIPPED\",style=\"request-reply\"}")
                .contains("hub_order_seconds_bucket{style=\"request-reply\",le=\"0.5\"}")
                .contains("hub_outbox_pending{destination=\"bus\"}")
                .contains("hub_oldest_open_order_seconds");
    }
}
