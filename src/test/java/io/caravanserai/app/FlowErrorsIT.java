package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A bug in a flow: the end of the order, and the entries in history and log. */
class FlowErrorsIT {
    private static final Path SHIPPED = Path.of("src/main/resources/routes");
    /** JsonPath on a body without JSON. */
    private static final String BUG = """
            - setBody:
                constant: no JSON
            - setProperty:
                name: score
                jsonpath: $.score
            """;

    @TempDir
    private static Path folder;

    private static TestHub hub;
    private CapturedLog log;

    @BeforeAll
    static void start() throws Exception {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        try (var files = Files.list(SHIPPED)) {
            for (Path file : files.toList()) {
                Files.copy(file, routes.resolve(file.getFileName()));
            }
        }
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
        hub.put("/stock/BELL", "{\"onHand\": 1000}");
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @AfterEach
    void restore() throws IOException {
        for (String flow : List.of("order-request-reply", "order-queue", "order-pubsub", "order-choreography")) {
            put(flow, text(flow));
        }
        if (log != null) {
            log.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "request-reply, '- to: direct:process-payment', process-payment, 'refund-payment release-items cancel-order'",
        "request-reply, '- to: direct:ship-order', ship-order, 'refund-payment release-items cancel-order'",
        "request-reply, '- to: direct:request-reply-saga', order-request-reply, cancel-order",
        "queue, '- to: direct:reserve-items', reserve-items, 'release-items cancel-order'",
        "queue, '- to: direct:queue-saga', queue-take, cancel-order"
    })
    void anOrderEndsWithFlowErrorAtTheStepThatFailed(String style, String before, String step, String undone)
            throws IOException {
        log = CapturedLog.open();
        put("order-" + style, withBugBefore(text("order-" + style), before));
        String id = "bug-" + style + "-" + step;

        TestHub.Answer answer = order(id, style);

        assertThat(answer.json().path("reason").asText()).as(answer.body()).isEqualTo("flow-error");
        JsonNode order = await().until(
                        () -> hub.get("/orders/" + id).json(),
                        it -> it.path("status").asText().equals("CANCELLED"));
        assertThat(entries(order, "failed")).as(order.toPrettyString()).hasSize(1);
        assertThat(entries(order, "failed").get(0))
                .startsWith("step " + step + " ")
                .containsIgnoringCase("json");
        assertThat(compensations(order)).isEqualTo(undone);
        await().untilAsserted(() -> assertThat(log.with(id)).hasSize(1));
        assertThat(log.with(id).get(0)).contains("order cancelled", "flow-error", step);
        assertThat(log.hasTraceWith("")).isFalse();
        assertThat(hub.get("/payments?orderId=" + id).body()).doesNotContain("CAPTURED");
    }

    @ParameterizedTest
    @CsvSource({
        "pubsub, '- to: direct:process-payment', process-payment",
        "choreography, '- to: direct:process-payment', process-payment",
        "choreography, '- to: direct:ship-order', ship-order"
    })
    void anEventIsTriedAgainByTheMendedFlow(String style, String before, String step) throws IOException {
        log = CapturedLog.open();
        put("order-" + style, withBugBefore(text("order-" + style), before));
        String id = "mended-" + style + "-" + step;

        hub.post("/orders?style=" + style, body(id), "Prefer", "respond-async");

        await().untilAsserted(() -> assertThat(entries(hub.get("/orders/" + id).json(), "failed"))
                .singleElement()
                .asString()
                .startsWith("step " + step + " "));
        assertThat(log.with(id)).hasSize(1);
        put("order-" + style, text("order-" + style));
        await().untilAsserted(() -> assertThat(
                        hub.get("/orders/" + id).json().path("status").asText())
                .isEqualTo("SHIPPED"));
        assertThat(hub.get("/dead-letters").json().path("items")).isEmpty();
        assertThat(log.hasTraceWith("")).isFalse();
    }

    @Test
    void orderWithUnhandledEventEndsWithFlowErrorAtDeadline() throws IOException {
        String text = text("order-pubsub")
                .replace("completionMode: MANUAL", "completionMode: MANUAL\n            timeout: 3s");
        put("order-pubsub", withBugBefore(text, "- to: direct:process-payment"));

        TestHub.Answer answer = order("late-bug", "pubsub");

        assertThat(answer.json().path("reason").asText()).as(answer.body()).isEqualTo("flow-error");
        assertThat(hub.get("/events?orderId=late-bug").body()).contains("OrderTimedOut", "OrderCancelled");
    }

    @Test
    void handledFailureIsInHistory() throws IOException {
        log = CapturedLog.open();
        String handled = """
                - route:
                    id: request-reply-pay
                    from:
                      uri: direct:request-reply-pay
                      steps:
                        - saga:
                            propagation: MANDATORY
                            compensation: direct:refund-payment
                            option:
                              - key: orderId
                                expression:
                                  header: orderId
                            steps:
                              - throwException:
                                  exceptionType: java.lang.IllegalStateException
                                  message: the score is missing
                              - to: direct:process-payment
                """;
        String text = replaceRoute(text("order-request-reply"), "request-reply-pay", handled)
                .replaceFirst("    onException:\n", """
                            onException:
                              - onException:
                                  exception:
                                    - java.lang.IllegalStateException
                                  handled:
                                    constant: "true"
                        """.indent(0));
        put("order-request-reply", text);

        TestHub.Answer answer = order("handled-1", "request-reply");

        assertThat(answer.json().path("reason").asText()).as(answer.body()).isEqualTo("flow-error");
        JsonNode order = hub.get("/orders/handled-1").json();
        assertThat(entries(order, "failed"))
                .singleElement()
                .asString()
                .startsWith("step process-payment ")
                .contains("the score is missing");
        await().untilAsserted(() -> assertThat(log.with("handled-1"))
                .singleElement()
                .asString()
                .contains("the score is missing", "flow-error"));
    }

    @Test
    void flowRefusesOrderWithOwnReason() throws IOException {
        put("order-request-reply", text("order-request-reply").replace("- to: direct:process-payment", """
                - throwException:
                                    exceptionType: io.caravanserai.service.StepRefusedException
                                    message: shipping-refused"""));

        TestHub.Answer answer = order("refused-1", "request-reply");

        assertThat(answer.json().path("reason").asText()).as(answer.body()).isEqualTo("shipping-refused");
    }

    private static String withBugBefore(String text, String step) {
        int at = text.indexOf(step);
        assertThat(at).isPositive();
        int indent = at - text.lastIndexOf('\n', at) - 1;
        return text.substring(0, at) + BUG.indent(indent).strip() + "\n" + " ".repeat(indent) + text.substring(at);
    }

    static String replaceRoute(String text, String route, String by) {
        StringBuilder kept = new StringBuilder();
        for (String item : text.split("(?m)^(?=- )")) {
            kept.append(item.contains("    id: " + route + "\n") ? by + "\n" : item);
        }
        return kept.toString();
    }

    private static List<String> entries(JsonNode order, String outcome) {
        List<String> entries = new ArrayList<>();
        for (JsonNode entry : order.path("history")) {
            if (entry.path("outcome").asText().equals(outcome)) {
                entries.add(
                        entry.path("kind").asText() + " " + entry.path("name").asText() + " "
                                + entry.path("detail").asText());
            }
        }
        return entries;
    }

    private static String compensations(JsonNode order) {
        List<String> names = new ArrayList<>();
        for (JsonNode entry : order.path("history")) {
            if (entry.path("kind").asText().equals("compensation")) {
                names.add(entry.path("name").asText());
            }
        }
        return String.join(" ", names);
    }

    private static String text(String flow) throws IOException {
        return Files.readString(SHIPPED.resolve(flow + ".camel.yaml"));
    }

    private static void put(String flow, String text) {
        TestHub.Answer answer = hub.put("/flows/" + flow + ".camel.yaml", text, "Content-Type", "application/yaml");
        assertThat(answer.status()).as(answer.body()).isIn(200, 201);
    }

    private static TestHub.Answer order(String id, String style) {
        return hub.post("/orders?style=" + style, body(id));
    }

    private static String body(String id) {
        return """
                {"orderId": "%s", "customerId": "C-1", "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}],
                 "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}
                """.formatted(id);
    }
}
