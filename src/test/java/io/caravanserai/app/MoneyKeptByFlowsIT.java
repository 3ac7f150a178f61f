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
 * Edits around the payment. Each edit is refused, or the orders keep the promises: no order is shipped unpaid, and no
 * cancelled order keeps a payment.
 */
class MoneyKeptByFlowsIT {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @TempDir
    private static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        Files.copy(PaymentEdits.FLOW, routes.resolve(PaymentEdits.FLOW.getFileName()));
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
        hub.put("/stock/BELL", "{\"onHand\": 100000}");
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.caravanserai.app.PaymentEdits#refused")
    void refused(String name, String text, String message) {
        TestHub.Answer put = put(text);

        assertThat(put.status()).as(put.body()).isEqualTo(422);
        assertThat(put.json().at("/errors").toString()).contains(message);
        assertThat(put.json().at("/errors/0/line").asInt()).isPositive();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.caravanserai.app.PaymentEdits#accepted")
    void accepted(String name, String text, String good, String notShipped, String declined) {
        TestHub.Answer put = put(text);

        assertThat(put.status()).as(put.body()).isEqualTo(200);
        assertThat(end("NL", "pm_card_visa")).isEqualTo(good);
        assertThat(end("AQ", "pm_card_visa")).isEqualTo(notShipped);
        assertThat(end("NL", "pm_card_declined")).isEqualTo(declined);
        JsonNode invariants = hub.get("/invariants").json();
        assertThat(invariants.path("ok").asBoolean()).as(invariants.toString()).isTrue();
    }

    private static TestHub.Answer put(String text) {
        return hub.put("/flows/" + PaymentEdits.FLOW.getFileName(), text, "Content-Type", "application/yaml");
    }

    /** Returns the status of an ended order and of the payment. */
    private static String end(String country, String method) {
        String id = "order-" + NUMBER.incrementAndGet();
        hub.post("/orders", """
                {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "%s",
                 "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}], "shippingAddress": {"country": "%s"}}
                """.formatted(id, method, country), "Prefer", "respond-async");
        String status = await().until(
                        () -> hub.get("/orders/" + id).json().path("status").asText(),
                        List.of("SHIPPED", "CANCELLED")::contains);
        String payment =
                hub.get("/payments?orderId=" + id).json().at("/items/0/status").asText();
        return status + " " + (payment.isEmpty() ? "NONE" : payment);
    }
}
