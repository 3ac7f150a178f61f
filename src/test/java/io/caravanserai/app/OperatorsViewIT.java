package io.caravanserai.app;

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
    void cancelRequestEventPrecedesCompensationEvents(String style) {
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
    void compensationOfFlowIsInHistoryWithAttempts() throws Exception {
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

    @ParameterizedTest
    @ValueSource(strings = {"request-reply", "queue", "pubsub", "choreography"})
    void stepsCompensationsAndRetriesAreMeteredInEveryStyle(String style) {
        String before = hub.get("/observe/metrics").body();
        hub.post("/orders?style=" + style, KafkaHub.order("metered-1-" + style, "pm_flaky_1"));
        hub.post("/orders?style=" + style, KafkaHub.order("metered-2-" + style, "SADDLE-01", "pm_card_visa", "AQ"));

        for (String meter : List.of(
                "hub_orders_started_total{ingress=\"rest\",style=\"" + style + "\"} 2",
                "hub_step_seconds_count{outcome=\"done\",step=\"create-order\"} 2",
                "hub_step_seconds_count{outcome=\"done\",step=\"process-payment\"} 2",
                "hub_step_seconds_count{outcome=\"unavailable\",step=\"process-payment\"} 1",
                "hub_step_seconds_count{outcome=\"refused\",step=\"ship-order\"} 1",
                "hub_compensation_seconds_count{compensation=\"refund-payment\",outcome=\"done\"} 1",
                "hub_compensation_seconds_count{compensation=\"release-items\",outcome=\"done\"} 1",
                "hub_compensation_seconds_count{compensation=\"cancel-order\",outcome=\"done\"} 1",
                "hub_retries_total{step=\"process-payment\"} 1")) {
            int end = meter.lastIndexOf(' ');
            String name = meter.substring(0, end);
            double more = Double.parseDouble(meter.substring(end));
            await().untilAsserted(() -> assertThat(
                            value(hub.get("/observe/metrics").body(), name) - value(before, name))
                    .as(name)
                    .isGreaterThanOrEqualTo(more));
        }
        String after = hub.get("/observe/metrics").body();
        assertThat(after).contains("hub_step_seconds_bucket{").contains("hub_compensation_seconds_bucket{");
        assertThat(after).doesNotContain("metered-");
        if (style.equals("pubsub") || style.equals("choreography")) {
            assertThat(after).contains("hub_event_age_seconds_bucket{subscriber=\"" + style + "-payment\"");
        }
    }

    @Test
    void openOrdersAreMeteredByFlowVersion() {
        hub.post("/orders", KafkaHub.order("metered-open", "pm_slow_60000"), "Prefer", "respond-async");
        try {
            await().untilAsserted(() -> assertThat(hub.get("/observe/metrics").body())
                    .containsPattern("hub_flow_orders\\{flow=\"order-request-reply\",version=\"\\d+\"\\} 1"));
            assertThat(hub.get("/observe/metrics").body()).contains("hub_outbox_oldest_seconds{destination=\"bus\"}");
        } finally {
            hub.post("/orders/metered-open/cancel", "");
        }
    }

    private static double value(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
                .sum();
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
                .containsPattern("(?m)^camel_exchanges_total\\{.*routeId=\"order-request-reply@1\".*} [1-9]")
                .contains("hub_oldest_open_order_seconds");
    }
}
