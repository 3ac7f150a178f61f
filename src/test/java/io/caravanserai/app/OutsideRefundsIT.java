package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.FaultyProvider.Fault;
import io.caravanserai.order.Style;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An order is cancelled, and the customer notified, only after the refund by the outside provider. */
class OutsideRefundsIT {
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-rich", "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}],
             "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "%s"}}
            """;

    @TempDir
    private static Path folder;

    private static TestHub hub;
    private static FaultyProvider provider;

    @BeforeAll
    static void start() throws Exception {
        provider = new FaultyProvider(100, 1_500);
        hub = TestHub.start(
                folder.resolve("data"),
                Map.of(
                        "hub.routes.dir",
                        PaymentOutside.copyOfRoutes(folder).toString(),
                        "hub.saga.compensation.attempts",
                        "2",
                        "hub.saga.compensation.backoff",
                        "50ms"));
        for (Style style : Style.values()) {
            TestHub.Answer put = hub.put(
                    "/flows/" + style.flow() + ".camel.yaml",
                    PaymentOutside.of(style, provider.port(), 1_000),
                    "Content-Type",
                    "application/yaml");
            assertThat(put.status()).as(put.body()).isEqualTo(200);
        }
    }

    @AfterAll
    static void stop() throws Exception {
        hub.close();
        provider.close();
    }

    @BeforeEach
    void fillStock() {
        provider.statuses(request -> 0);
        hub.put("/stock/BELL", "{\"onHand\": 1000}");
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void orderStaysOpenWhileUncertainChargeIsNotRefunded(Style style) {
        provider.faults(request -> request.path().equals("/charges") ? Fault.ERROR_AFTER : Fault.ERROR);
        String id = "doubt-" + style.wire();
        String saga = stuck(style, id, "NL");

        provider.faults(request -> Fault.NONE);
        assertThat(hub.post("/sagas/" + saga + "/retry", "{\"reason\": \"mended\"}")
                        .status())
                .isEqualTo(202);

        await().untilAsserted(() -> assertThat(status(id)).isEqualTo("CANCELLED"));
        assertThat(provider.keeps(id)).isFalse();
        endsWithItsCancellation(id);
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void orderStaysOpenWhilePaymentIsNotRefunded(Style style) {
        provider.faults(request -> request.path().equals("/refunds") ? Fault.ERROR : Fault.NONE);
        String id = "paid-" + style.wire();
        String saga = stuck(style, id, "AQ");
        assertThat(hub.get("/payments?orderId=" + id).body()).contains("CAPTURED");

        assertThat(hub.post("/sagas/" + saga + "/resolve", "{\"reason\": \"refunded by hand\"}")
                        .status())
                .isEqualTo(200);

        await().untilAsserted(() -> assertThat(status(id)).isEqualTo("CANCELLED"));
        endsWithItsCancellation(id);
        assertThat(hub.get("/orders/" + id).body()).contains("refunded by hand");
        assertThat(hub.get("/payments?orderId=" + id).body())
                .as("the books follow")
                .contains("REFUNDED");
        assertThat(hub.get("/stock/BELL").json().path("reserved").asInt()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void pendingChargeIsPolledUntilDecided(Style style) {
        String id = "pending-" + style.wire();
        provider.faults(request -> asked(id) <= 3 ? Fault.PENDING : Fault.NONE);
        assertThat(hub.post("/orders?style=" + style.wire(), ORDER.formatted(id, "NL"))
                        .status())
                .isEqualTo(201);
        assertThat(provider.charges(id)).isEqualTo(1);
        assertThat(asked(id)).isEqualTo(4);
        assertThat(hub.get("/payments?orderId=" + id).body()).contains("CAPTURED");
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 301, 302, 307, 400, 401, 403, 404, 405, 409, 410, 418, 422})
    void orderWithoutConfirmedChargeIsNotShipped(int status) {
        provider.faults(request -> Fault.NONE);
        provider.statuses(request -> request.path().equals("/charges") ? status : 0);
        for (Style style : Style.values()) {
            String id = "no-" + status + "-" + style.wire();
            TestHub.Answer answer = hub.post("/orders?style=" + style.wire(), ORDER.formatted(id, "NL"));
            assertThat(answer.status()).as(answer.body()).isEqualTo(409);
            assertThat(asked(id)).as("one charge and one refund").isLessThanOrEqualTo(2);
            assertThat(hub.get("/payments?orderId=" + id).json().path("items")).isEmpty();
            endsWithItsCancellation(id);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 425, 429, 500, 502, 503, 504, 511})
    void pendingReplyIsRequestedAgainWithSameKey(int status) {
        provider.faults(request -> Fault.NONE);
        for (Style style : Style.values()) {
            String id = "later-" + status + "-" + style.wire();
            provider.statuses(request -> asked(id) == 1 ? status : 0);
            TestHub.Answer answer = hub.post("/orders?style=" + style.wire(), ORDER.formatted(id, "NL"));
            assertThat(answer.status()).as(answer.body()).isEqualTo(201);
            assertThat(provider.charges(id)).isEqualTo(1);
            assertThat(provider.requests().stream()
                            .filter(request -> request.orderId().equals(id))
                            .map(FaultyProvider.Request::key)
                            .distinct())
                    .hasSize(1);
        }
    }

    private static long asked(String id) {
        return provider.requests().stream()
                .filter(request -> request.orderId().equals(id))
                .count();
    }

    /** Posts an order with a failing compensation; returns the id of the stuck saga. */
    private static String stuck(Style style, String id, String country) {
        hub.post("/orders?style=" + style.wire(), ORDER.formatted(id, country), "Prefer", "respond-async");
        String[] saga = new String[1];
        await().untilAsserted(() -> {
            JsonNode stuck = StreamSupport.stream(
                            hub.get("/sagas?status=STUCK").json().path("items").spliterator(), false)
                    .filter(each -> each.path("orderId").asText().equals(id))
                    .findFirst()
                    .orElse(null);
            assertThat(stuck).as(hub.get("/orders/" + id).body()).isNotNull();
            saga[0] = stuck.path("sagaId").asText();
        });
        assertThat(status(id)).isNotEqualTo("CANCELLED");
        assertThat(events(id)).doesNotContain("OrderCancelled");
        assertThat(hub.get("/orders/" + id).json().path("history").toString()).contains("refund-payment");
        assertThat(hub.get("/dead-letters").body()).doesNotContain(id);
        return saga[0];
    }

    private static String status(String id) {
        return hub.get("/orders/" + id).json().path("status").asText();
    }

    private static void endsWithItsCancellation(String id) {
        assertThat(events(id)).endsWith("OrderCancelled").containsOnlyOnce("OrderCancelled");
    }

    private static List<String> events(String id) {
        return hub.get("/events?orderId=" + id).json().path("items").findValuesAsText("type");
    }
}
