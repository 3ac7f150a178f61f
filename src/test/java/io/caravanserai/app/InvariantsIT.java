package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The ledger detects differences between the records of services and the states of orders. */
class InvariantsIT {

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DELETE FROM payments WHERE order_id = 'shipped' | money | shipped",
                "UPDATE payments SET status = 'REFUNDED' WHERE order_id = 'shipped' | money refunds | shipped",
                "UPDATE payments SET amount = '1.00' WHERE order_id = 'shipped' | money | shipped",
                "UPDATE payments SET status = 'CAPTURED' WHERE order_id = 'cancelled' | money refunds | cancelled",
                "DELETE FROM shipments WHERE order_id = 'shipped' | shipments | shipped",
                "UPDATE stock SET reserved = reserved + 1, on_hand = on_hand - 1 WHERE sku = 'BELL' | stock | ''"
            })
    void aViolationIsToldInTheAnswerTheMeterAndTheLog(String damage, String laws, String order) throws Exception {
        try (TestHub hub = TestHub.start(folder, Map.of())) {
            hub.put("/stock/BELL", "{\"onHand\": 1000}");
            hub.post("/orders", body("shipped", "NL"));
            hub.post("/orders", body("cancelled", "AQ"));
            JsonNode books = hub.get("/invariants").json();
            assertThat(books.path("ok").asBoolean()).as(books.toPrettyString()).isTrue();
            assertThat(failed(books)).isEmpty();
            assertThat(hub.get("/observe/metrics").body()).contains("hub_invariant_ok{name=\"money\"} 1");
        }
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("hub.db"));
                Statement statement = database.createStatement()) {
            statement.execute(damage.strip());
        }
        try (CapturedLog log = CapturedLog.open();
                TestHub hub = TestHub.start(folder, Map.of())) {
            await().untilAsserted(() -> assertThat(failed(hub.get("/invariants").json()))
                    .containsExactlyInAnyOrder(laws.strip().split(" ")));
            JsonNode books = hub.get("/invariants").json();
            assertThat(books.path("ok").asBoolean()).isFalse();
            for (String law : laws.strip().split(" ")) {
                assertThat(hub.get("/observe/metrics").body()).contains("hub_invariant_ok{name=\"" + law + "\"} 0");
            }
            if (!order.isBlank()) {
                assertThat(books.toString()).contains("\"orders\":[\"" + order + "\"]");
                assertThat(log.with("invariant violated")).isNotEmpty().allMatch(line -> line.contains(order));
            }
        }
    }

    /**
     * An edit that the check cannot detect, because a header has the endpoint: the shipping service refuses, and the
     * order is cancelled.
     */
    @Test
    void unpaidOrderIsNotShippedByAnyFlow() throws Exception {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        String file = "order-request-reply.camel.yaml";
        String text = Files.readString(Path.of("src/main/resources/routes", file));
        Files.writeString(routes.resolve(file), text);
        try (TestHub hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()))) {
            hub.put("/stock/BELL", "{\"onHand\": 1000}");
            String hidden = text.replace("- to: direct:request-reply-pay\n", """
                    - setHeader:
                                        name: next
                                        constant: ship-order
                                  - toD: direct:${header.next}
                                  - to: direct:request-reply-pay
                    """);
            TestHub.Answer put = hub.put("/flows/" + file, hidden, "Content-Type", "application/yaml");
            assertThat(put.status()).as(put.body()).isEqualTo(200);

            TestHub.Answer answer = hub.post("/orders", body("unpaid", "NL"));

            assertThat(answer.json().path("reason").asText()).as(answer.body()).isEqualTo("flow-error");
            assertThat(hub.get("/shipments?orderId=unpaid").json().path("items"))
                    .isEmpty();
            assertThat(hub.get("/orders/unpaid").body()).contains("no payment is captured");
            assertThat(hub.get("/invariants").json().path("ok").asBoolean()).isTrue();

            TestHub.Answer refused = hub.put(
                    "/flows/" + file,
                    text.replace("uri: direct:refund-payment", "uri: direct:release-items"),
                    "Content-Type",
                    "application/yaml");
            assertThat(refused.status()).isEqualTo(422);
            assertThat(refused.json().path("errors").path(0).path("message").asText())
                    .contains("it must lead to 'direct:refund-payment'");
            assertThat(refused.json().path("errors").path(0).path("line").asInt())
                    .isGreaterThan(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"constant: shipped", "header: other", "simple: ${header.orderId}x"})
    void compensationUndoesOwnOrderDespiteAnotherOrderIdInOption(String option) throws Exception {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        String file = "order-request-reply.camel.yaml";
        String text = Files.readString(Path.of("src/main/resources/routes", file));
        int pay = text.indexOf("id: request-reply-pay");
        String wrong = text.substring(0, pay)
                + text.substring(pay).replaceFirst("header: orderId", Matcher.quoteReplacement(option));
        Files.writeString(routes.resolve(file), text);
        try (TestHub hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()))) {
            hub.put("/stock/BELL", "{\"onHand\": 1000}");
            hub.post("/orders", body("shipped", "NL"));
            TestHub.Answer put = hub.put("/flows/" + file, wrong, "Content-Type", "application/yaml");
            assertThat(put.status()).as(put.body()).isEqualTo(200);

            hub.post("/orders", body("unserved", "AQ"));

            await().untilAsserted(() -> assertThat(
                            hub.get("/orders/unserved").json().path("status").asText())
                    .isEqualTo("CANCELLED"));
            assertThat(payment(hub, "unserved")).isEqualTo("REFUNDED");
            assertThat(payment(hub, "shipped")).isEqualTo("CAPTURED");
            assertThat(hub.get("/invariants").json().path("ok").asBoolean()).isTrue();
        }
    }

    private static String payment(TestHub hub, String orderId) {
        return hub.get("/payments?orderId=" + orderId)
                .json()
                .at("/items/0/status")
                .asText();
    }

    private static List<String> failed(JsonNode books) {
        List<String> failed = new ArrayList<>();
        books.path("checks").forEach(check -> {
            if (!check.path("ok").asBoolean()) {
                failed.add(check.path("name").asText());
            }
        });
        return failed;
    }

    private static String body(String id, String country) {
        return """
                {"orderId": "%s", "customerId": "C-1", "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}],
                 "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "%s"}}
                """.formatted(id, country);
    }
}
