package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.TestHub.Answer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OrdersHttpIT {
    @TempDir
    static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        hub = TestHub.start(folder, Map.of());
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    private static String order(String payment, String country, String more) {
        return """
                {%s"customerId": "C-1", "items": [{"sku": "SADDLE-01", "quantity": 2, "unitPrice": 50.00}],
                 "currency": "EUR", "paymentMethod": "%s", "shippingAddress": {"country": "%s"}}""".formatted(more, payment, country);
    }

    private static String order(String payment) {
        return order(payment, "NL", "");
    }

    private static String named(String orderId, String payment) {
        return order(payment, "NL", "\"orderId\": \"" + orderId + "\", ");
    }

    @Test
    void anOrderIsShippedAndShownAsContracted() {
        Answer answer = hub.post("/orders", order("pm_card_visa"));

        assertThat(answer.status()).isEqualTo(201);
        String id = answer.json().path("orderId").textValue();
        assertThat(answer.header("Location")).isEqualTo("/orders/" + id);
        assertThat(answer.json().path("status").textValue()).isEqualTo("SHIPPED");
        assertThat(answer.body()).contains("\"total\":100.00,");
        assertThat(answer.json().path("createdAt").textValue())
                .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
        assertThat(answer.json().path("paymentId").textValue()).isNotBlank();
        assertThat(answer.json().path("trackingNumber").textValue()).isNotBlank();
        assertThat(history(answer, "step"))
                .containsExactly("create-order done", "reserve-items done", "process-payment done", "ship-order done");
        assertThat(history(answer, "event"))
                .containsExactly(
                        "OrderCreated done", "ItemsReserved done", "PaymentProcessed done", "OrderShipped done");
        assertThat(hub.get("/orders/" + id).body()).isEqualTo(answer.body());
        assertThat(hub.get("/payments?orderId=" + id)
                        .json()
                        .at("/items/0/status")
                        .textValue())
                .isEqualTo("CAPTURED");
        assertThat(hub.get("/payments?orderId=" + id).body()).contains("\"amount\":100.00,");
        assertThat(hub.get("/shipments?orderId=" + id).json().at("/items/0/trackingNumber"))
                .isEqualTo(answer.json().path("trackingNumber"));
        Answer saga = hub.get("/sagas/" + answer.json().path("sagaId").textValue());
        assertThat(saga.json().path("status").textValue()).isEqualTo("COMPLETED");
        assertThat(saga.json().path("orderId").textValue()).isEqualTo(id);
    }

    @ParameterizedTest
    @CsvSource({
        "pm_card_declined, NL, SADDLE-01, 2, payment-declined, release-items cancel-order",
        "pm_from_nowhere, NL, SADDLE-01, 2, payment-declined, release-items cancel-order",
        "pm_card_visa, AQ, SADDLE-01, 2, shipping-refused, refund-payment release-items cancel-order",
        "pm_card_visa, NL, SADDLE-01, 9999, out-of-stock, cancel-order",
        "pm_card_visa, NL, MAGIC-CARPET, 2, unknown-sku, cancel-order",
        "pm_flaky_9, NL, SADDLE-01, 2, service-unavailable, release-items cancel-order",
    })
    void aRefusedOrderIsCancelledAndUndoneInReverse(
            String payment, String country, String sku, String quantity, String reason, String compensations) {
        String body = order(payment, country, "")
                .replace("SADDLE-01", sku)
                .replace("\"quantity\": 2", "\"quantity\": " + quantity);

        Answer answer = hub.post("/orders", body);

        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(answer.json().path("orderStatus").textValue()).isEqualTo("CANCELLED");
        assertThat(answer.json().path("reason").textValue()).isEqualTo(reason);
        assertThat(answer.header("Location"))
                .isEqualTo("/orders/" + answer.json().path("orderId").textValue());
        Answer order = hub.get(answer.header("Location"));
        assertThat(history(order, "compensation").stream()
                        .filter(each -> each.endsWith(" done"))
                        .map(each -> each.replace(" done", ""))
                        .toList())
                .containsExactly(compensations.split(" "));
        assertThat(history(order, "event")).last().isEqualTo("OrderCancelled done");
    }

    @Test
    void aServiceThatIsUnavailableIsTriedAgain() {
        Answer answer = hub.post("/orders", order("pm_flaky_4"));

        assertThat(answer.status()).isEqualTo(201);
        assertThat(history(answer, "step"))
                .containsSubsequence("process-payment retrying", "process-payment retrying", "process-payment done");
    }

    @Test
    void requestWithoutWaitIsAnsweredAtOnce() {
        Answer answer = hub.post("/orders", order("pm_slow_1000"), "Prefer", "respond-async");

        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.header("Preference-Applied")).isEqualTo("respond-async");
        assertThat(answer.json().path("status").textValue()).isNotEqualTo("SHIPPED");
        await().until(() -> hub.get(answer.header("Location"))
                .json()
                .path("status")
                .textValue()
                .equals("SHIPPED"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "foo=\"a, respond-async, b\"",
                "foo=\"a\\\", respond-async\"",
                "foo=\"a, wait=0, b\"",
                "foo; bar=\"x, respond-async\""
            })
    void aPreferenceInsideQuotesIsNotAskedFor(String prefer) {
        Answer answer = hub.post("/orders", order("pm_card_visa"), "Prefer", prefer);

        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.header("Preference-Applied")).isNull();
    }

    @Test
    void requestWithWaitIsAnsweredAfterTheWait() {
        Answer answer = hub.post("/orders", order("pm_slow_3000"), "Prefer", "wait=1");

        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.header("Preference-Applied")).isEqualTo("wait=1");
        assertThat(hub.post("/orders", order("pm_slow_100"), "Prefer", "wait=60")
                        .status())
                .isEqualTo(201);
    }

    @Test
    void anOrderIdIsGoodForOneOrder() {
        Answer first = hub.post("/orders", named("twice", "pm_card_visa"));
        Answer same = hub.post("/orders", named("twice", "pm_card_visa").replace("50.00", "5e1"));
        Answer other = hub.post("/orders", named("twice", "pm_card_visa").replace("50.00", "51.00"));

        assertThat(first.status()).isEqualTo(201);
        assertThat(same.status()).isEqualTo(200);
        assertThat(same.body()).isEqualTo(first.body());
        assertThat(other.status()).isEqualTo(409);
        assertThat(other.json().path("reason").textValue()).isEqualTo("order-exists");
        assertThat(hub.get("/payments?orderId=twice").json().path("items")).hasSize(1);
    }

    @Test
    void aKeyGivesTheFirstAnswerAgain() {
        for (String payment : List.of("pm_card_visa", "pm_card_declined")) {
            Answer first = hub.post("/orders", order(payment), "Idempotency-Key", "\"key-" + payment + "\"");
            Answer again = hub.post("/orders", order(payment), "Idempotency-Key", "key-" + payment);

            assertThat(again.status()).isEqualTo(first.status());
            assertThat(again.body()).isEqualTo(first.body());
            assertThat(again.header("Location")).isEqualTo(first.header("Location"));
            assertThat(again.header("Content-Type")).isEqualTo(first.header("Content-Type"));
            assertThat(first.header("Idempotency-Replayed")).isNull();
            assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
        }
    }

    @Test
    void anAcceptedAnswerIsTheFirstAnswerToo() {
        String[] headers = {"Idempotency-Key", "async", "Prefer", "respond-async"};
        Answer first = hub.post("/orders", order("pm_card_visa"), headers);
        await().until(() -> hub.get(first.header("Location"))
                .json()
                .path("status")
                .textValue()
                .equals("SHIPPED"));
        Answer again = hub.post("/orders", order("pm_card_visa"), headers);

        assertThat(again.status()).isEqualTo(202);
        assertThat(again.body()).isEqualTo(first.body());
    }

    @Test
    void aKeyIsGoodForOneRequest() {
        String[] key = {"Idempotency-Key", "one-request"};
        assertThat(hub.post("/orders", order("pm_card_visa"), key).status()).isEqualTo(201);

        assertThat(hub.post("/orders", order("pm_card_visa") + " ", key).status())
                .isEqualTo(422);
        assertThat(hub.post("/orders", order("pm_card_declined"), key).status()).isEqualTo(422);
        assertThat(hub.post("/orders?style=choreography", order("pm_card_visa"), key)
                        .status())
                .isEqualTo(422);
    }

    @Test
    void conflictOfOrderIdIsStoredUnderIdempotencyKey() {
        hub.post("/orders", named("taken-id", "pm_card_visa"));
        String[] key = {"Idempotency-Key", "taken-id-key"};

        Answer first = hub.post("/orders", named("taken-id", "pm_card_declined"), key);
        Answer again = hub.post("/orders", named("taken-id", "pm_card_declined"), key);
        Answer other = hub.post("/orders", named("free-id", "pm_card_declined"), key);

        assertThat(first.status()).isEqualTo(409);
        assertThat(first.json().path("reason").textValue()).isEqualTo("order-exists");
        assertThat(first.header("Idempotency-Replayed")).isNull();
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.body()).isEqualTo(first.body());
        assertThat(again.header("Location")).isEqualTo(first.header("Location"));
        assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
        assertThat(other.status()).isEqualTo(422);
        assertThat(hub.get("/orders/free-id").status()).isEqualTo(404);
    }

    @Test
    void invalidRequestDoesNotConsumeIdempotencyKey() {
        String[] key = {"Idempotency-Key", "faulty-first"};

        assertThat(hub.post("/orders", "{", key).status()).isEqualTo(400);
        assertThat(hub.post("/orders", "{}", key).status()).isEqualTo(422);
        assertThat(hub.post("/orders", order("pm_card_visa"), key).status()).isEqualTo(201);
    }

    @Test
    void aRequestThatIsStillRunningIsNotRunTwice() {
        String[] key = {"Idempotency-Key", "running"};
        String order = named("still-running", "pm_slow_5000");
        CompletableFuture<Answer> first = hub.send("POST", "/orders", order, key);
        await().until(() -> hub.get("/orders/still-running").status() == 200);

        assertThat(hub.post("/orders", order, key).status()).isEqualTo(409);

        assertThat(first.join().status()).isEqualTo(201);
        assertThat(hub.post("/orders", order, key).body())
                .isEqualTo(first.join().body());
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"", "\"a", "a b", "\"\"", "\"a\\b\""})
    void aKeyThatCannotBeReadIsABadRequest(String key) {
        assertThat(hub.post("/orders", order("pm_card_visa"), "Idempotency-Key", key)
                        .status())
                .isEqualTo(400);
    }

    @Test
    void manyAtOnceWithOneKeyAreOneOrder() {
        List<CompletableFuture<Answer>> answers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            answers.add(hub.send("POST", "/orders", named("once", "pm_card_visa"), "Idempotency-Key", "once"));
        }

        assertThat(answers)
                .extracting(answer -> answer.join().status())
                .contains(201)
                .allMatch(status -> status == 201 || status == 409);
        assertThat(hub.get("/payments?orderId=once").json().path("items")).hasSize(1);
    }

    @Test
    void invalidOrderLeavesNothing() {
        String before = hub.get("/orders?limit=1").body();

        Answer invalid = hub.post(
                "/orders", named("bad", "pm_card_visa").replace("\"quantity\": 2", "\"quantity\": 0, \"qty\": 2"));
        Answer unreadable = hub.post("/orders", named("bad", "pm_card_visa") + "}");
        Answer unknownStyle = hub.post("/orders?style=pigeon", named("bad", "pm_card_visa"));

        assertThat(invalid.status()).isEqualTo(422);
        assertThat(StreamSupport.stream(invalid.json().path("errors").spliterator(), false)
                        .map(fault -> fault.path("pointer").textValue()))
                .containsExactlyInAnyOrder("#/items/0/quantity", "#/items/0/qty");
        assertThat(unreadable.status()).isEqualTo(400);
        assertThat(unknownStyle.status()).isEqualTo(400);
        assertThat(hub.get("/orders/bad").status()).isEqualTo(404);
        assertThat(hub.get("/orders?limit=1").body()).isEqualTo(before);
    }

    @Test
    void ordersAreListedNewestFirstPageByPage() {
        for (int i = 0; i < 5; i++) {
            hub.post("/orders", named("page-" + i, "pm_card_visa").replace("C-1", "C-pages"));
        }
        List<String> ids = new ArrayList<>();
        String cursor = "";
        do {
            JsonNode page = hub.get("/orders?customerId=C-pages&limit=2&cursor=" + cursor)
                    .json();
            page.path("items").forEach(order -> ids.add(order.path("orderId").textValue()));
            cursor = page.path("nextCursor").asText("");
        } while (!cursor.isEmpty());

        assertThat(ids).containsExactly("page-4", "page-3", "page-2", "page-1", "page-0");
        assertThat(hub.get("/orders?customerId=C-pages&status=CANCELLED").json().path("items"))
                .isEmpty();
        assertThat(hub.get("/orders?customerId=C-pages&style=request-reply&status=SHIPPED")
                        .json()
                        .path("items"))
                .hasSize(5);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/orders?status=shipped",
                "/orders?style=x",
                "/orders?limit=0",
                "/orders?limit=201",
                "/orders?cursor=x",
                "/orders?cursor=!",
                "/orders?cursor=c2FnYXM6MQ",
                "/sagas?cursor=MQ",
                "/dead-letters?cursor=MQ",
                "/stock?cursor=AA",
                "/shipments?cursor=cGF5bWVudHM6eA",
                "/sagas?status=DONE",
                "/sagas?limit=-1",
                "/stock?limit=1000",
                "/payments?cursor=!"
            })
    void aQueryThatCannotBeMeantIsABadRequest(String path) {
        Answer answer = hub.get(path);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    }

    @Test
    void bodyInOtherCharsetOrWithoutJsonGetsPlainProblem() {
        assertThat(hub.post(
                                "/orders",
                                named("utf-16", "pm_card_visa"),
                                "Content-Type",
                                "application/json; charset =utf-16")
                        .status())
                .isEqualTo(415);
        assertThat(hub.post(
                                "/orders",
                                named("quoted", "pm_card_visa"),
                                "Content-Type",
                                "application/json; x=\";charset=utf-16\"; charset=UTF-8")
                        .status())
                .isEqualTo(201);
        for (String body : List.of(
                "{\"total\": " + "9".repeat(2_000) + "}",
                "[".repeat(5_000),
                "{\"a\": ",
                "{\"a\": \"",
                "{\"a\" 1}",
                "{\"a\": 1, \"a\": 2}")) {
            Answer answer = hub.post("/orders", body);
            assertThat(answer.status()).as(answer.body()).isEqualTo(400);
            assertThat(answer.body()).doesNotContain("REDACTED", "fasterxml", "StreamRead", "start marker");
        }
    }

    @Test
    void aRunningOrderCanBeCancelled() {
        hub.post("/orders", named("regretted", "pm_slow_5000"), "Prefer", "respond-async");
        await().until(() ->
                hub.get("/orders/regretted").json().path("status").textValue().equals("RESERVED"));

        Answer cancel = hub.post("/orders/regretted/cancel", null);

        assertThat(cancel.status()).isEqualTo(202);
        assertThat(cancel.json().path("reason").textValue()).isEqualTo("cancelled-by-operator");
        await().until(() ->
                hub.get("/orders/regretted").json().path("status").textValue().equals("CANCELLED"));
        assertThat(hub.post("/orders/regretted/cancel", null).status()).isEqualTo(200);
        assertThat(history(hub.get("/orders/regretted"), "compensation"))
                .contains("release-items done", "cancel-order done");
    }

    @Test
    void anOrderThatHasEndedIsNotCancelled() {
        hub.post("/orders", named("too-late", "pm_card_visa"));

        Answer answer = hub.post("/orders/too-late/cancel", null);

        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.json().path("orderStatus").textValue()).isEqualTo("SHIPPED");
        assertThat(hub.post("/orders/never-was/cancel", null).status()).isEqualTo(404);
    }

    @Test
    void sagaHeaderOfSenderIsIgnored() {
        Answer answer = hub.post(
                "/orders",
                order("pm_card_visa"),
                "Long-Running-Action",
                "someone-elses",
                "CamelHttpUri",
                "http://evil.example",
                "CaravanseraiSagaId",
                "mine");

        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.json().path("sagaId").textValue()).isNotIn("someone-elses", "mine");
    }

    @Test
    void aTraceIsContinued() {
        String traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        Answer answer = hub.post("/orders", order("pm_card_visa"), "traceparent", traceparent);

        JsonNode events = hub.get(
                        "/events?orderId=" + answer.json().path("orderId").textValue())
                .json()
                .path("items");
        assertThat(events)
                .hasSize(4)
                .allSatisfy(event -> assertThat(event.path("traceparent").textValue())
                        .startsWith("00-0af7651916cd43dd8448eb211c80319c-"));
    }

    @Test
    void aSagaThatIsNotStuckIsLeftAlone() {
        String saga =
                hub.post("/orders", order("pm_card_visa")).json().path("sagaId").textValue();

        assertThat(hub.post("/sagas/" + saga + "/retry", null).status()).isEqualTo(409);
        assertThat(hub.post("/sagas/" + saga + "/compensate", null).status()).isEqualTo(409);
        assertThat(hub.post("/sagas/" + saga + "/resolve", "{\"reason\": \"done by hand\"}")
                        .status())
                .isEqualTo(409);
        assertThat(hub.post("/sagas/" + saga + "/resolve", "{}").status()).isEqualTo(422);
        assertThat(hub.post("/sagas/none/retry", null).status()).isEqualTo(404);
        assertThat(hub.get("/sagas/none").status()).isEqualTo(404);
    }

    @Test
    void stockIsCountedAndSet() {
        assertThat(hub.get("/stock/NEW%2F1").status()).isEqualTo(404);
        assertThat(hub.put("/stock/NEW%2F1", "{\"onHand\": 7}").body())
                .isEqualTo("{\"sku\":\"NEW/1\",\"onHand\":7,\"reserved\":0,\"shipped\":0}");
        hub.post("/orders", order("pm_card_visa").replace("SADDLE-01", "NEW/1"));
        assertThat(hub.get("/stock/NEW%2F1").body())
                .isEqualTo("{\"sku\":\"NEW/1\",\"onHand\":5,\"reserved\":0,\"shipped\":2}");
        assertThat(hub.get("/stock").json().path("items")).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"onHand\": -1}",
                "{\"onHand\": 1.5}",
                "{\"onHand\": \"1\"}",
                "{\"onHand\": null}",
                "{\"onHand\": 1e999999999}",
                "{\"onHand\": 1, \"reserved\": 1}",
                "[]",
                "1"
            })
    void stockIsACount(String body) {
        Answer answer = hub.put("/stock/SADDLE-01", body);

        assertThat(answer.status()).isEqualTo(422);
        assertThat(answer.json().path("errors")).isNotEmpty();
    }

    @Test
    void theHubIsReady() {
        assertThat(hub.get("/observe/health/live").json().path("status").textValue())
                .isEqualTo("UP");
        assertThat(hub.get("/observe/health/ready").status()).isEqualTo(200);
        assertThat(hub.get("/observe/health").json().path("checks")).hasSizeGreaterThanOrEqualTo(2);
    }

    @Test
    void missingStoredAnswerIsBuiltFromOrder(@TempDir Path other) throws Exception {
        String[] key = {"Idempotency-Key", "over-a-restart"};
        try (TestHub first = TestHub.start(other, Map.of())) {
            assertThat(first.post("/orders", named("survivor", "pm_card_visa"), key)
                            .status())
                    .isEqualTo(201);
        }
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + other.resolve("hub.db"));
                Statement statement = database.createStatement()) {
            // Simulates a crash between the end of the order and the answer.
            assertThat(statement.executeUpdate("UPDATE idempotency_keys SET answer = NULL"))
                    .isEqualTo(1);
        }

        try (TestHub second = TestHub.start(other, Map.of())) {
            Answer again = second.post("/orders", named("survivor", "pm_card_visa"), key);

            assertThat(again.status()).isEqualTo(201);
            assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
            assertThat(second.post("/orders", named("survivor", "pm_card_visa"), key)
                            .body())
                    .isEqualTo(again.body());
            assertThat(second.get("/payments?orderId=survivor").json().path("items"))
                    .hasSize(1);
        }
    }

    private static List<String> history(Answer order, String kind) {
        return StreamSupport.stream(order.json().path("history").spliterator(), false)
                .filter(entry -> entry.path("kind").textValue().equals(kind))
                .map(entry -> entry.path("name").textValue() + " "
                        + entry.path("outcome").textValue())
                .toList();
    }
}
