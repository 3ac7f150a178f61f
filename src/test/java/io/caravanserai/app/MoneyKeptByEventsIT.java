package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Edits around the payment of the flows that events and queues drive. Each is refused, or its orders keep the promises:
 * none is shipped unpaid, none keeps a payment when it is cancelled, none rests.
 */
class MoneyKeptByEventsIT {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @TempDir
    private static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        for (String flow : List.of("order-choreography", "order-pubsub", "order-queue")) {
            Files.copy(FlowEdits.ROUTES.resolve(flow + ".camel.yaml"), routes.resolve(flow + ".camel.yaml"));
        }
        hub = TestHub.start(
                folder.resolve("data"),
                Map.of(
                        "hub.routes.dir",
                        routes.toString(),
                        "hub.orders.style",
                        "choreography",
                        "hub.saga.timeout",
                        "20s"));
        hub.put("/stock/BELL", "{\"onHand\": 100000}");
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest(name = "{1}: {0}")
    @MethodSource({
        "io.caravanserai.app.ChoreographyEdits#refused",
        "io.caravanserai.app.PubsubEdits#refused",
        "io.caravanserai.app.QueueEdits#refused"
    })
    void refused(String name, String flow, String text, String message) {
        assertThat(text).isNotEqualTo(FlowEdits.text(flow));

        TestHub.Answer answer =
                hub.post("/flows/validate?file=" + flow + ".camel.yaml", text, "Content-Type", "application/yaml");

        assertThat(answer.json().at("/errors").toString()).as(answer.body()).contains(message);
        assertThat(answer.json().at("/errors/0/line").asInt()).isPositive();
        assertThat(answer.json().at("/errors/0/column").asInt()).isPositive();
    }

    @ParameterizedTest(name = "{1}: {0}")
    @MethodSource({
        "io.caravanserai.app.ChoreographyEdits#accepted",
        "io.caravanserai.app.PubsubEdits#accepted",
        "io.caravanserai.app.QueueEdits#accepted"
    })
    void accepted(String name, String flow, String text, String good, String notShipped, String declined) {
        TestHub.Answer put = hub.put("/flows/" + flow + ".camel.yaml", text, "Content-Type", "application/yaml");
        String style = flow.substring("order-".length());

        assertThat(put.status()).as(put.body()).isEqualTo(200);
        List<String> ids = List.of(
                post(style, "NL", "pm_card_visa"),
                post(style, "AQ", "pm_card_visa"),
                post(style, "NL", "pm_card_declined"));
        assertThat(ids.stream().map(MoneyKeptByEventsIT::end)).containsExactly(good, notShipped, declined);
        JsonNode invariants = hub.get("/invariants").json();
        assertThat(invariants.path("ok").asBoolean()).as(invariants.toString()).isTrue();
    }

    private static String post(String style, String country, String method) {
        String id = "order-" + NUMBER.incrementAndGet();
        hub.post("/orders?style=" + style, """
                {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "%s",
                 "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}], "shippingAddress": {"country": "%s"}}
                """.formatted(id, method, country), "Prefer", "respond-async");
        return id;
    }

    /** The status of an order that has ended, and that of its payment. */
    private static String end(String id) {
        String status = await().until(
                        () -> hub.get("/orders/" + id).json().path("status").asText(),
                        List.of("SHIPPED", "CANCELLED")::contains);
        String payment =
                hub.get("/payments?orderId=" + id).json().at("/items/0/status").asText();
        return status + " " + (payment.isEmpty() ? "NONE" : payment);
    }
}
