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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The failed step of a flow in the history, with one log line, for failures at any place of a flow. */
class FlowHistoryIT {
    private static final Path SHIPPED = Path.of("src/main/resources/routes");
    private static final String BUG = """
            - throwException:
                exceptionType: java.lang.IllegalStateException
                message: the score is missing
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

    @BeforeEach
    void capture() {
        log = CapturedLog.open();
    }

    @AfterEach
    void restore() throws IOException {
        for (String flow : List.of("order-request-reply", "order-queue", "order-pubsub", "order-choreography")) {
            put(flow, text(flow));
        }
        log.close();
    }

    @ParameterizedTest
    @CsvSource({
        "request-reply, '- to: direct:ship-order', request-reply-ship",
        "request-reply, '- to: direct:request-reply-ship', request-reply-saga",
        "request-reply, '- to: direct:request-reply-saga', order-request-reply",
        "queue, '- to: direct:ship-order', queue-ship",
        "queue, '- to: direct:queue-ship', queue-saga",
        "queue, '- to: direct:queue-saga', queue-take",
        "pubsub, '- to: direct:ship-order', pubsub-shipping",
        "choreography, '- to: direct:ship-order', choreography-shipping"
    })
    void aBugAfterTheLastStepIsToldAndCancelsNothing(String style, String after, String step) throws IOException {
        put("order-" + style, with(text("order-" + style), after, after + "\n" + BUG));
        String id = "shipped-" + step;

        hub.post("/orders?style=" + style, body(id));

        await().untilAsserted(() -> assertThat(failures(id))
                .containsExactly("step " + step
                        + " the score is missing"
                                .replace(
                                        "the score",
                                        step.equals("queue-ship") ? "a command failed: the score" : "the score")));
        assertThat(order(id).path("status").asText()).isEqualTo("SHIPPED");
        await().untilAsserted(() -> assertThat(log.with(id)).hasSize(1));
        assertThat(log.with(id).get(0)).contains("the score is missing");
    }

    @ParameterizedTest
    @CsvSource({"'', express-saga", "check-score, check-score"})
    void bugBetweenStepsIsNotRecordedForUnreachedStep(String id, String step) throws IOException {
        String named = id.isEmpty() ? BUG : BUG.replace("throwException:\n", "throwException:\n    id: " + id + "\n");
        put("order-express", """
                - route:
                    id: order-express
                    from:
                      uri: direct:order-express
                      steps:
                        - to: direct:express-saga
                - route:
                    id: express-saga
                    from:
                      uri: direct:express-saga
                      steps:
                        - saga:
                            propagation: REQUIRES_NEW
                            compensation: direct:express-undo
                            option:
                              - key: orderId
                                expression:
                                  header: orderId
                            steps:
                              - to: direct:create-order
                              - to: direct:reserve-items
                              - setProperty:
                                  name: scored
                                  constant: "yes"
                              - to: direct:process-payment
                              - to: direct:ship-order
                - route:
                    id: express-undo
                    from:
                      uri: direct:express-undo
                      steps:
                        - to: direct:refund-payment
                        - to: direct:release-items
                        - to: direct:cancel-order
                """);
        String text = hub.get("/flows/order-express.camel.yaml").body();
        put("order-express", with(text, "- to: direct:process-payment", named + "- to: direct:process-payment"));
        String orderId = "express-" + step;

        TestHub.Answer answer = hub.post("/orders?style=express", body(orderId));

        assertThat(answer.json().path("reason").asText()).as(answer.body()).isEqualTo("flow-error");
        assertThat(failures(orderId)).containsExactly("step " + step + " the score is missing");
        await().untilAsserted(() -> assertThat(log.with(orderId)).hasSize(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"request-reply", "queue", "pubsub", "choreography"})
    void refusalByFlowIsRecordedWithReason(String style) throws IOException {
        put(
                "order-" + style,
                with(text("order-" + style), "- to: direct:process-payment", """
                - throwException:
                    exceptionType: io.caravanserai.service.StepRefusedException
                    message: shipping-refused
                """ + "- to: direct:process-payment"));
        String id = "refused-" + style;

        TestHub.Answer answer = hub.post("/orders?style=" + style, body(id));

        assertThat(answer.json().path("reason").asText()).as(answer.body()).isEqualTo("shipping-refused");
        assertThat(failures(id)).containsExactly("step process-payment shipping-refused");
        assertThat(order(id).path("history").toString()).contains("ItemsReleased");
        assertThat(hub.get("/dead-letters").json().path("items")).isEmpty();
        await().untilAsserted(() -> assertThat(log.with(id)).hasSize(1));
        assertThat(log.with(id).get(0)).contains("shipping-refused");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pubsub", "choreography"})
    void bugWithDifferentTextAtEachAttemptIsOneEntry(String style) throws IOException {
        put(
                "order-" + style,
                with(text("order-" + style), "- to: direct:process-payment", """
                - setBody:
                    simple: "${exchangeId} is no JSON"
                - setProperty:
                    name: score
                    jsonpath: $.score
                """ + "- to: direct:process-payment"));
        String id = "again-" + style;
        hub.post("/orders?style=" + style, body(id), "Prefer", "respond-async");
        String retries = "hub_events_retried_total{subscriber=\"" + style + "-payment\"";

        await().until(() -> hub.get("/observe/metrics")
                .body()
                .lines()
                .anyMatch(line -> line.startsWith(retries) && Double.parseDouble(line.split(" ")[1]) >= 3));

        assertThat(failures(id)).hasSize(1);
        assertThat(log.with(id)).hasSize(1);
    }

    @Test
    void bugInHttpFlowIsOneLogLineWithoutOrder() throws IOException {
        put("score", """
                - route:
                    id: score
                    from:
                      uri: platform-http:/score
                      steps:
                        - throwException:
                            exceptionType: java.lang.IllegalStateException
                            message: the score of nobody is missing
                """);

        assertThat(hub.get("/score").status()).isEqualTo(500);

        await().untilAsserted(() ->
                assertThat(log.with("the score of nobody is missing")).hasSize(1));
        assertThat(log.with("the score of nobody is missing").get(0)).doesNotContain("orderId");
        assertThat(log.hasTraceWith("")).isFalse();
    }

    /** Returns the text of the flow with a step replaced by other steps. */
    private static String with(String text, String step, String steps) {
        int at = text.indexOf(step);
        assertThat(at).isPositive();
        int indent = at - text.lastIndexOf('\n', at) - 1;
        return text.substring(0, at) + steps.indent(indent).strip() + text.substring(at + step.length());
    }

    private static List<String> failures(String id) {
        List<String> failures = new ArrayList<>();
        order(id).path("history").forEach(entry -> {
            if (entry.path("outcome").asText().equals("failed")) {
                failures.add(
                        entry.path("kind").asText() + " " + entry.path("name").asText() + " "
                                + entry.path("detail").asText());
            }
        });
        return failures;
    }

    private static JsonNode order(String id) {
        return hub.get("/orders/" + id).json();
    }

    private static String text(String flow) throws IOException {
        return Files.readString(SHIPPED.resolve(flow + ".camel.yaml"));
    }

    private static void put(String flow, String text) {
        TestHub.Answer answer = hub.put("/flows/" + flow + ".camel.yaml", text, "Content-Type", "application/yaml");
        assertThat(answer.status()).as(answer.body()).isIn(200, 201);
    }

    private static String body(String id) {
        return """
                {"orderId": "%s", "customerId": "C-1", "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}],
                 "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}
                """.formatted(id);
    }
}
