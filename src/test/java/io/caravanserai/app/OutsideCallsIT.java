package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.FaultyProvider.Fault;
import io.caravanserai.app.FaultyProvider.Request;
import io.caravanserai.order.Style;
import jakarta.jms.JMSConsumer;
import jakarta.jms.JMSContext;
import jakarta.jms.Message;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls to outside services, one fault at a time. */
class OutsideCallsIT {
    private static final int TIMEOUT_MILLIS = 2_000;
    private static final String FLOW = "order-request-reply.camel.yaml";
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-rich", "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}],
             "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "%s"}}
            """;

    @TempDir
    private static Path folder;

    private static TestHub hub;

    private FaultyProvider provider;

    @BeforeAll
    static void startHub() throws Exception {
        hub = TestHub.start(
                folder.resolve("data"),
                Map.of(
                        "hub.routes.dir",
                        PaymentOutside.copyOfRoutes(folder).toString(),
                        "hub.saga.compensation.attempts",
                        "2",
                        "hub.saga.compensation.backoff",
                        "50ms"));
        hub.put("/stock/BELL", "{\"onHand\": 100000}");
    }

    @AfterAll
    static void stopHub() {
        hub.close();
    }

    @BeforeEach
    void startProvider() throws Exception {
        provider = new FaultyProvider(800, TIMEOUT_MILLIS + 500);
        put(Style.REQUEST_REPLY, TIMEOUT_MILLIS);
    }

    @AfterEach
    void stopProvider() throws Exception {
        provider.close();
    }

    private void put(Style style, int timeoutMillis) throws Exception {
        putText(style.flow() + ".camel.yaml", PaymentOutside.of(style, provider.port(), timeoutMillis));
    }

    private static void putText(String file, String text) {
        TestHub.Answer put = hub.put("/flows/" + file, text, "Content-Type", "application/yaml");
        assertThat(put.status()).as(put.body()).isIn(200, 201);
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void anOpenBreakerIsNoAnswer(Style style) throws Exception {
        put(style, TIMEOUT_MILLIS);
        provider.faults(request -> request.path().equals("/charges") ? Fault.ERROR : Fault.NONE);
        List<String> first = ids("first-" + style, 10);
        post(style, first, "NL")
                .forEach(answer -> assertThat(answer.join().status()).isEqualTo(409));

        List<String> later = ids("later-" + style, 10);
        List<CompletableFuture<TestHub.Answer>> waiting = post(style, later, "NL");
        int before = provider.requests().size();
        await().until(() -> provider.requests().size() > before);
        provider.faults(request -> Fault.NONE);

        waiting.forEach(answer ->
                assertThat(answer.join().status()).as(answer.join().body()).isEqualTo(201));
        assertThat(later).allSatisfy(id -> {
            assertThat(provider.charges(id)).isEqualTo(1);
            assertThat(payment(id)).isEqualTo("CAPTURED");
        });
        assertThat(first).allSatisfy(id -> {
            assertThat(provider.charges(id)).isZero();
            assertThat(payment(id)).isEmpty();
        });
    }

    @Test
    void refusedRefundIsRetriedUntilDoneOrStuck() throws Exception {
        provider.faults(request -> request.path().equals("/refunds") ? Fault.ERROR : Fault.NONE);
        List<String> ids = ids("back", 10);
        post(Style.REQUEST_REPLY, ids, "AQ", "Prefer", "respond-async").forEach(CompletableFuture::join);

        await().untilAsserted(() ->
                assertThat(ids).allSatisfy(id -> assertThat(saga(id)).isEqualTo("STUCK")));
        assertThat(ids).allSatisfy(id -> {
            assertThat(payment(id)).isEqualTo("CAPTURED");
            assertThat(order(id).path("status").asText()).isEqualTo("PAID");
            assertThat(history(id)).contains("compensation refund-payment retrying 1");
        });
        provider.faults(request -> Fault.NONE);
        ids.forEach(
                id -> hub.post("/sagas/" + order(id).path("sagaId").asText() + "/retry", "{\"reason\": \"mended\"}"));

        await().untilAsserted(() ->
                assertThat(ids).allSatisfy(id -> assertThat(saga(id)).isEqualTo("COMPENSATED")));
        assertThat(ids).allSatisfy(id -> {
            assertThat(provider.hasRefunded(id)).isTrue();
            assertThat(payment(id)).isEqualTo("REFUNDED");
        });
    }

    @Test
    void ordersUpToConcurrencyLimitArePaidConcurrently() {
        provider.faults(request -> Fault.SLOW);
        List<String> ids = ids("many", 64);
        long began = System.nanoTime();

        post(Style.REQUEST_REPLY, ids, "NL")
                .forEach(answer -> assertThat(answer.join().status())
                        .as(answer.join().body())
                        .isEqualTo(201));

        assertThat(provider.requests()).hasSize(64);
        assertThat(ids).allSatisfy(id -> assertThat(provider.charges(id)).isEqualTo(1));
        assertThat(provider.mostInFlight()).isGreaterThan(32);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void manyConcurrentOrdersArePaidInEveryStyle(Style style) throws Exception {
        put(style, TIMEOUT_MILLIS);
        provider.faults(request -> Fault.SLOW);
        List<String> ids = ids("thirty-" + style.wire(), 30);
        long began = System.nanoTime();

        post(style, ids, "NL")
                .forEach(answer -> assertThat(answer.join().status())
                        .as(answer.join().body())
                        .isEqualTo(201));

        assertThat(provider.requests()).hasSize(30);
        assertThat(ids).allSatisfy(id -> assertThat(provider.charges(id)).isEqualTo(1));
        System.out.println(
                "DEBUG " + style + " " + (System.nanoTime() - began) / 1_000_000 + " most " + provider.mostInFlight());
    }

    @Test
    void serviceIsNotCalledForOrderCancelledWhileWaiting() throws Exception {
        provider.faults(request -> request.path().equals("/charges") ? Fault.HANG : Fault.NONE);
        putText(
                FLOW,
                PaymentOutside.of(Style.REQUEST_REPLY, provider.port(), 60_000)
                        .replaceAll("(?m)^( +)timeout: .*$", "$0\n$1atOnce: 1"));
        post(Style.REQUEST_REPLY, List.of("hanging"), "NL");
        await().until(() -> !keys("hanging").isEmpty());
        CompletableFuture<TestHub.Answer> waiting =
                post(Style.REQUEST_REPLY, List.of("waiting"), "NL").get(0);
        await().until(() -> order("waiting").path("status").asText().equals("RESERVED"));

        hub.post("/orders/waiting/cancel", "{\"reason\": \"changed my mind\"}");

        assertThat(waiting.join().json().path("reason").asText()).isEqualTo("cancelled-by-operator");
        assertThat(keys("waiting")).containsExactly("waiting:process-payment:undo");
    }

    @Test
    void timeWaitingForFreePlaceDoesNotCountAsCallTimeout() throws Exception {
        provider.faults(request -> Fault.SLOW);
        putText(
                FLOW,
                PaymentOutside.of(Style.REQUEST_REPLY, provider.port(), TIMEOUT_MILLIS)
                        .replace(
                                "timeout: " + TIMEOUT_MILLIS,
                                "timeout: " + TIMEOUT_MILLIS + "\n                atOnce: 2")
                        .replaceAll("(\\n +)timeout: (\\d+)\\n +atOnce: 2", "$1timeout: $2$1atOnce: 2"));
        // The last calls wait longer than the timeout of a call.
        List<String> ids = ids("queue", 12);

        post(Style.REQUEST_REPLY, ids, "NL")
                .forEach(answer -> assertThat(answer.join().status())
                        .as(answer.join().body())
                        .isEqualTo(201));

        assertThat(provider.requests()).hasSize(12);
        assertThat(provider.mostInFlight()).isEqualTo(2);
    }

    @Test
    void lateAnswerIsDropped() throws Exception {
        provider.faults(failing(1, Fault.LATE));

        assertThat(order("late", "NL").status()).isEqualTo(201);

        await().during(Duration.ofMillis(700))
                .until(() -> order("late").path("status").asText().equals("SHIPPED"));
        assertThat(history("late"))
                .containsSubsequence(
                        "step process-payment retrying 1", "step process-payment done 2", "step ship-order done 1");
        assertThat(keys("late")).containsOnly("late:process-payment:do").hasSize(2);
    }

    @Test
    void attemptsAreInTheHistory() throws Exception {
        provider.faults(failing(2, Fault.ERROR));

        assertThat(order("third", "NL").status()).isEqualTo(201);

        assertThat(history("third"))
                .containsSubsequence(
                        "step process-payment retrying 1",
                        "step process-payment retrying 2",
                        "step process-payment done 3",
                        "event PaymentProcessed done 1");
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void nextAttemptIsInHistoryBeforeDueTime(Style style) throws Exception {
        String id = "planned-" + style.wire();
        provider.faults(request -> request.orderId().equals(id) && keys(id).size() < 2 ? Fault.ERROR : Fault.NONE);
        putText(
                style.flow() + ".camel.yaml",
                PaymentOutside.of(style, provider.port(), TIMEOUT_MILLIS)
                        .replaceFirst("redeliveryDelay: 100\\b", "redeliveryDelay: 3000"));
        post(style, List.of(id), "NL");

        await().until(() -> history(id).contains("step process-payment retrying 1"));

        assertThat(keys(id)).as("the second attempt waits").hasSize(1);
        JsonNode entry = order(id).path("history").findParent("nextAt");
        assertThat(Duration.between(
                        Instant.parse(entry.path("at").asText()),
                        Instant.parse(entry.path("nextAt").asText())))
                .isBetween(Duration.ofSeconds(1), Duration.ofSeconds(3));
        await().until(() -> order(id).path("status").asText().equals("SHIPPED"));
        assertThat(history(id)).containsOnlyOnce("step process-payment retrying 1");
    }

    @Test
    void completedCompensationIsNotRecordedAsSkipped() throws Exception {
        provider.faults(request -> request.path().equals("/charges") ? Fault.ERROR_AFTER : Fault.NONE);

        TestHub.Answer answer = order("undone", "NL");

        assertThat(answer.json().path("reason").asText()).as(answer.body()).isEqualTo("service-unavailable");
        assertThat(provider.hasRefunded("undone")).isTrue();
        assertThat(history("undone"))
                .contains("step process-payment failed 5", "compensation refund-payment done 1")
                .noneMatch(entry -> entry.contains("skipped"));
    }

    @Test
    void recordedCompensationIsInHistoryOnce() throws Exception {
        TestHub.Answer answer = order("far", "AQ");

        assertThat(answer.json().path("reason").asText()).as(answer.body()).isEqualTo("shipping-refused");
        assertThat(history("far"))
                .filteredOn(entry -> entry.contains("refund-payment"))
                .containsExactly("compensation refund-payment done 1");
        assertThat(history("far")).contains("event PaymentRefunded done 1");
    }

    @Test
    void noCallIsSentForOrderBeingCancelled() throws Exception {
        provider.faults(request -> request.path().equals("/charges") ? Fault.HANG : Fault.NONE);
        CompletableFuture<TestHub.Answer> posted =
                post(Style.REQUEST_REPLY, List.of("called-off"), "NL").get(0);
        await().until(() -> !keys("called-off").isEmpty());

        hub.post("/orders/called-off/cancel", "{\"reason\": \"changed my mind\"}");

        assertThat(posted.join().json().path("reason").asText()).isEqualTo("cancelled-by-operator");
        await().until(() -> provider.hasRefunded("called-off"));
        assertThat(provider.violations()).isEmpty();
        // The refund waited for the end of the call, which timed out after two seconds; the call was not repeated.
        assertThat(keys("called-off"))
                .containsExactly("called-off:process-payment:do", "called-off:process-payment:undo");
    }

    @Test
    void anAnswerThatTheFlowDoesNotAcceptEndsTheOrder() throws Exception {
        putText(
                FLOW,
                PaymentOutside.of(Style.REQUEST_REPLY, provider.port(), TIMEOUT_MILLIS)
                        .replace("accept: 200-299,402", "accept: 200-299"));

        TestHub.Answer declined =
                hub.post("/orders", ORDER.formatted("poor", "NL").replace("C-rich", "C-poor"));

        assertThat(declined.json().path("reason").asText()).as(declined.body()).isEqualTo("payment-declined");
        assertThat(keys("poor")).containsExactly("poor:process-payment:do", "poor:process-payment:undo");
        assertThat(order("poor").path("history").toString()).contains("answered 402");
    }

    @Test
    void onlyListedHeadersGoOut() throws Exception {
        putText(
                FLOW,
                PaymentOutside.of(Style.REQUEST_REPLY, provider.port(), TIMEOUT_MILLIS)
                        .replaceFirst(
                                "(?m)^( +)- to:\\n +uri: kamelet:http-call\\n",
                                "$1- setHeader:\n$1    name: Authorization\n$1    constant: Bearer x\n"
                                        + "$1- setHeader:\n$1    name: X-API-Key\n$1    constant: secret\n$0")
                        .replaceFirst("(?m)^( +)accept: ", "$1headers: Authorization\n$0"));

        String traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        hub.post("/orders", ORDER.formatted("private", "NL"), "traceparent", traceparent, "X-API-Key", "mine");

        Request charge = provider.requests().get(0);
        assertThat(charge.headers().keySet())
                .containsExactlyInAnyOrder(
                        "host",
                        "content-length",
                        "content-type",
                        "orderid",
                        "idempotency-key",
                        "authorization",
                        "traceparent");
        assertThat(charge.headers()).containsEntry("idempotency-key", "private:process-payment:do");
    }

    @Test
    void onlyListedHeadersGoOutOverJms() throws Exception {
        putText(
                FLOW,
                PaymentOutside.of(Style.REQUEST_REPLY, provider.port(), 10_000)
                        .replaceAll("(?m)^ +accept: .*\\n", "")
                        .replace("kamelet:http-call", "kamelet:jms-call")
                        .replace("${variable.header:answer.CamelHttpResponseCode} == 402", "${variable.answer} == 'no'")
                        .replaceAll("url: http://127.0.0.1:\\d+/", "queue: told-"));
        try (ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort());
                JMSContext context = factory.createContext()) {
            JMSConsumer service = context.createConsumer(context.createQueue("told-charges"));
            CompletableFuture<TestHub.Answer> posted =
                    post(Style.REQUEST_REPLY, List.of("told"), "NL").get(0);
            Message request = service.receive(60_000);
            Map<String, String> properties = new HashMap<>();
            for (Enumeration<?> names = request.getPropertyNames(); names.hasMoreElements(); ) {
                String name = names.nextElement().toString();
                properties.put(name, request.getStringProperty(name));
            }
            context.createProducer()
                    .setJMSCorrelationID(request.getJMSCorrelationID())
                    .send(request.getJMSReplyTo(), "taken");

            assertThat(posted.join().status()).as(order("told").toString()).isEqualTo(201);
            assertThat(properties).containsEntry("Idempotency_HYPHEN_Key", "told:process-payment:do");
            assertThat(properties.keySet())
                    .filteredOn(name -> !name.startsWith("JMSX") && !name.startsWith("_AMQ"))
                    .containsExactlyInAnyOrder("Idempotency_HYPHEN_Key", "Content_HYPHEN_Type", "orderId");
            // A late consumer finds no message: the message expires with the attempt.
            assertThat(request.getJMSExpiration()).isPositive();
        }
    }

    @Test
    void aFlowThatSendsToKafkaIsRefusedWhileKafkaIsOff() throws Exception {
        TestHub.Answer put = hub.put(
                "/flows/" + FLOW,
                PaymentOutside.of(Style.REQUEST_REPLY, provider.port(), TIMEOUT_MILLIS)
                        .replaceAll("(?m)^ +accept: .*\\n", "")
                        .replace("kamelet:http-call", "kamelet:kafka-send")
                        .replaceAll("url: http://127.0.0.1:\\d+/", "topic: told-"),
                "Content-Type",
                "application/yaml");

        assertThat(put.status()).isEqualTo(422);
        assertThat(put.body()).contains("Kafka is off, set hub.kafka.brokers");
    }

    @Test
    void customStepIsInHistory() throws Exception {
        String own = PaymentOutside.of(Style.REQUEST_REPLY, provider.port(), TIMEOUT_MILLIS)
                .replaceAll("(?m)^( +)timeout: .*$", "$0\n$1step: check-fraud")
                .replace("- to: direct:payment-captured", "- to: direct:process-payment");
        putText(FLOW, own);
        AtomicInteger left = new AtomicInteger(1);
        provider.faults(request -> left.getAndDecrement() > 0 ? Fault.ERROR : Fault.NONE);

        assertThat(order("checked", "NL").status()).isEqualTo(201);
        provider.faults(request -> request.path().equals("/charges") ? Fault.ERROR : Fault.NONE);
        TestHub.Answer failed = order("unchecked", "NL");

        assertThat(history("checked"))
                .containsSubsequence(
                        "step check-fraud retrying 1", "step check-fraud done 2", "step process-payment done 1");
        assertThat(failed.json().path("reason").asText()).as(failed.body()).isEqualTo("service-unavailable");
        assertThat(history("unchecked"))
                .containsSubsequence(
                        "step check-fraud retrying 4", "step check-fraud failed 5", "compensation check-fraud done 1")
                .noneMatch(entry -> entry.startsWith("step process-payment"));
    }

    @Test
    void queueWithoutConsumerCountsAsNoAnswer() throws Exception {
        String overJms = PaymentOutside.of(Style.REQUEST_REPLY, provider.port(), 100)
                .replaceAll("(?m)^ +accept: .*\\n", "")
                .replace("kamelet:http-call", "kamelet:jms-call")
                .replaceAll("url: http://127.0.0.1:\\d+/", "queue: unheard-");
        putText(FLOW, overJms);
        List<String> ids = ids("unheard", 10);

        post(Style.REQUEST_REPLY, ids, "NL", "Prefer", "respond-async").forEach(CompletableFuture::join);

        // The refund queue has no consumer either, so the saga becomes stuck.
        await().untilAsserted(() ->
                assertThat(ids).allSatisfy(id -> assertThat(saga(id)).isEqualTo("STUCK")));
        assertThat(ids).allSatisfy(id -> {
            assertThat(payment(id)).isEmpty();
            assertThat(order(id).path("reason").asText()).isEqualTo("service-unavailable");
        });
    }

    @Test
    void subscriberNotifiesServiceOfOrderBeingCancelled() throws Exception {
        putText("webhook.camel.yaml", """
                - route:
                    id: webhook
                    from:
                      uri: kamelet:order-events
                      parameters:
                        subscriber: webhook
                        types: OrderCreated,OrderCancelled
                      steps:
                        - to:
                            uri: kamelet:http-call
                            parameters:
                              url: http://127.0.0.1:%d/hook
                              step: webhook
                """.formatted(provider.port()));
        order("hooked", "AQ");

        await().untilAsserted(() -> assertThat(provider.requests())
                .filteredOn(request ->
                        request.path().equals("/hook") && request.orderId().equals("hooked"))
                .extracting(Request::key)
                .hasSize(2)
                .doesNotHaveDuplicates());
        assertThat(hub.send("DELETE", "/flows/webhook.camel.yaml", null).join().status())
                .isEqualTo(204);
    }

    /** Returns a fault for the first charges; later charges succeed. */
    private static Function<Request, Fault> failing(int times, Fault fault) {
        AtomicInteger left = new AtomicInteger(times);
        return request -> request.path().equals("/charges") && left.getAndDecrement() > 0 ? fault : Fault.NONE;
    }

    private static List<String> ids(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + "-" + i).toList();
    }

    private static List<CompletableFuture<TestHub.Answer>> post(
            Style style, List<String> ids, String country, String... headers) {
        List<CompletableFuture<TestHub.Answer>> answers = new ArrayList<>();
        for (String id : ids) {
            answers.add(hub.send("POST", "/orders?style=" + style.wire(), ORDER.formatted(id, country), headers));
        }
        return answers;
    }

    private static TestHub.Answer order(String id, String country) {
        return hub.post("/orders", ORDER.formatted(id, country));
    }

    private static JsonNode order(String id) {
        return hub.get("/orders/" + id).json();
    }

    private static String saga(String orderId) {
        return hub.get("/sagas/" + order(orderId).path("sagaId").asText())
                .json()
                .path("status")
                .asText();
    }

    private static String payment(String orderId) {
        return hub.get("/payments?orderId=" + orderId)
                .json()
                .path("items")
                .path(0)
                .path("status")
                .asText();
    }

    private List<String> keys(String orderId) {
        return provider.requests().stream()
                .filter(request -> request.orderId().equals(orderId))
                .map(Request::key)
                .toList();
    }

    private static List<String> history(String orderId) {
        List<String> entries = new ArrayList<>();
        order(orderId)
                .path("history")
                .forEach(entry -> entries.add(entry.path("kind").asText() + " "
                        + entry.path("name").asText() + " "
                        + entry.path("outcome").asText() + " "
                        + entry.path("attempt").asText()));
        return entries;
    }
}
