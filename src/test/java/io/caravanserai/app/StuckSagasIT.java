package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.caravanserai.order.Style;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A compensation uses all attempts, and an operator acts over HTTP, with refunds by a provider that can fail. */
class StuckSagasIT {
    private static final String FILE = "order-request-reply.camel.yaml";
    private static final String REFUND = """

            - route:
                id: request-reply-refund
                description: The provider gives the money back, then it is booked.
                from:
                  uri: direct:refund-by-provider
                  steps:
                    - to: http://127.0.0.1:%d/refunds?httpMethod=POST
                    - to: direct:refund-payment
            """;

    @TempDir
    private static Path folder;

    private static TestHub hub;
    private static HttpServer provider;
    private static volatile boolean outOfOrder;

    @BeforeAll
    static void start() throws Exception {
        provider = provider();
        Path routes = Files.createDirectory(folder.resolve("routes"));
        String text = Files.readString(Path.of("src/main/resources/routes", FILE))
                .replace("uri: direct:refund-payment", "uri: direct:refund-by-provider");
        Files.writeString(
                routes.resolve(FILE),
                text + REFUND.formatted(provider.getAddress().getPort()));
        hub = TestHub.start(
                folder.resolve("data"),
                Map.of(
                        "hub.routes.dir",
                        routes.toString(),
                        "hub.saga.compensation.attempts",
                        "2",
                        "hub.saga.compensation.backoff",
                        "20ms",
                        "hub.http.wait",
                        "1s"));
    }

    private static HttpServer provider() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/refunds", exchange -> {
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(outOfOrder ? 503 : 204, -1);
            exchange.close();
        });
        server.start();
        return server;
    }

    @AfterAll
    static void stop() {
        hub.close();
        provider.stop(0);
    }

    @Test
    void aStuckSagaHasOneLineThatNamesItsOrder() {
        try (CapturedLog log = CapturedLog.open()) {
            String saga = stuck("told");

            assertThat(log.with("STUCK"))
                    .singleElement(InstanceOfAssertFactories.STRING)
                    .contains("orderId=\"told\"", "sagaId=\"" + saga + "\"", "refund-by-provider");
        }
    }

    @Test
    void stuckSagaIsShownAndContinuesAfterRetry() {
        String saga = stuck("retried");
        assertThat(hub.get("/sagas?status=STUCK").json().path("items").findValuesAsText("sagaId"))
                .contains(saga);
        assertThat(hub.get("/orders/retried").json().path("status").asText()).isEqualTo("PAID");

        assertThat(hub.post("/sagas/" + saga + "/retry", "{\"reason\": \"try once more\"}")
                        .status())
                .isEqualTo(202);
        awaitStatus(saga, "STUCK");
        assertThat(compensations("retried"))
                .as("each round has its attempts, and what comes before waits")
                .containsExactly(
                        "refund-by-provider retrying 1",
                        "refund-by-provider failed 2",
                        "refund-by-provider retrying 1",
                        "refund-by-provider failed 2");

        outOfOrder = false;
        assertThat(hub.post("/sagas/" + saga + "/retry", null).status()).isEqualTo(202);

        awaitStatus(saga, "COMPENSATED");
        isUndone("retried");
        assertThat(acts("retried")).containsExactly("saga.retry try once more", "saga.retry ");
        JsonNode retrying = entries("retried").stream()
                .filter(entry -> entry.path("outcome").asText().equals("retrying"))
                .findFirst()
                .orElseThrow();
        assertThat(Instant.parse(retrying.path("nextAt").asText()))
                .isAfter(Instant.parse(retrying.path("at").asText()));
    }

    @Test
    void stuckSagaIsCompensatedAgainFromLastStep() {
        String saga = stuck("again");
        outOfOrder = false;

        assertThat(hub.post("/sagas/" + saga + "/compensate", null).status()).isEqualTo(202);

        awaitStatus(saga, "COMPENSATED");
        isUndone("again");
        assertThat(acts("again")).containsExactly("saga.compensate ");
    }

    @Test
    void stuckSagaIsResolvedByOperatorWithReason() {
        String saga = stuck("by-hand");

        TestHub.Answer resolved = hub.post("/sagas/" + saga + "/resolve", "{\"reason\": \"refunded at the counter\"}");

        assertThat(resolved.status()).isEqualTo(200);
        assertThat(resolved.json().path("status").asText()).isEqualTo("COMPENSATED");
        assertThat(resolved.body()).contains("refunded at the counter");
        JsonNode order = hub.get("/orders/by-hand").json();
        assertThat(order.path("status").asText()).isEqualTo("CANCELLED");
        assertThat(order.path("reason").asText()).isEqualTo("shipping-refused");
        assertThat(acts("by-hand")).containsExactly("saga.resolve refunded at the counter");
        assertThat(entries("by-hand")
                        .get(entries("by-hand").size() - 1)
                        .path("name")
                        .asText())
                .isEqualTo("OrderCancelled");
        assertThat(hub.post("/sagas/" + saga + "/retry", null).status()).isEqualTo(409);
    }

    /** Returns the id of the saga of a new order that cannot be refunded. */
    private static String stuck(String orderId) {
        outOfOrder = true;
        TestHub.Answer posted = hub.post("/orders", """
                {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "pm_card_visa",
                 "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}],
                 "shippingAddress": {"country": "AQ"}}
                """.formatted(orderId));
        assertThat(posted.status()).isEqualTo(202);
        assertThat(posted.json().path("flow").asText()).isEqualTo(Style.REQUEST_REPLY.flow());
        String saga = posted.json().path("sagaId").asText();
        awaitStatus(saga, "STUCK");
        return saga;
    }

    private static void awaitStatus(String saga, String status) {
        await().until(() -> hub.get("/sagas/" + saga).json().path("status").asText(), status::equals);
    }

    private static void isUndone(String orderId) {
        JsonNode order = hub.get("/orders/" + orderId).json();
        assertThat(order.path("status").asText()).isEqualTo("CANCELLED");
        assertThat(order.path("reason").asText()).isEqualTo("shipping-refused");
        JsonNode payments = hub.get("/payments?orderId=" + orderId).json().path("items");
        assertThat(payments).hasSize(1);
        assertThat(payments.path(0).path("status").asText()).isEqualTo("REFUNDED");
        assertThat(compensations(orderId))
                .endsWith("refund-payment done 1", "release-items done 1", "cancel-order done 1");
    }

    private static List<JsonNode> entries(String orderId) {
        List<JsonNode> entries = new ArrayList<>();
        hub.get("/orders/" + orderId).json().path("history").forEach(entries::add);
        return entries;
    }

    /** Returns the operator actions on the order: name and reason. */
    private static List<String> acts(String orderId) {
        return entries(orderId).stream()
                .filter(entry -> entry.path("name").asText().startsWith("saga."))
                .peek(entry -> assertThat(entry.path("kind").asText()).isEqualTo("event"))
                .map(entry ->
                        entry.path("name").asText() + " " + entry.path("detail").asText())
                .toList();
    }

    private static List<String> compensations(String orderId) {
        List<String> entries = new ArrayList<>();
        entries(orderId).forEach(entry -> {
            if (entry.path("kind").asText().equals("compensation")) {
                entries.add(entry.path("name").asText() + " "
                        + entry.path("outcome").asText() + " "
                        + entry.path("attempt").asInt());
            }
        });
        return entries;
    }
}
