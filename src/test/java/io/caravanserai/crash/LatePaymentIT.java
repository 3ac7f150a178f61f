package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A saga that times out during a payment never keeps the money. */
class LatePaymentIT {
    private static final Duration PAYMENT = Duration.ofSeconds(20);
    private static final Map<String, Long> STOCK = Map.of("SADDLE-01", 1_000L);
    private static final TestOrder FIRST = new TestOrder(
            "first", "SADDLE-01", 1, BigDecimal.TEN, "pm_card_visa", "NL", Set.of("SHIPPED", "CANCELLED"));
    private static final TestOrder ORDER =
            new TestOrder("late", "SADDLE-01", 2, BigDecimal.TEN, "pm_slow_20000", "NL", Set.of("CANCELLED"));

    @TempDir
    Path folder;

    private HubProcess hub;
    private Rest rest;

    @BeforeEach
    void prepare() throws Exception {
        hub = new HubProcess(Distribution.built(), folder.resolve("run/data"));
        hub.set("hub.saga.timeout", "4s");
        rest = new Rest(hub.url());
    }

    @AfterEach
    void end() {
        hub.close();
    }

    @Test
    void latePaymentIsNotCaptured() throws Exception {
        begin();
        checkThatNoMoneyIsKept();
    }

    @Test
    void latePaymentAfterKillIsNotCaptured() throws Exception {
        begin();
        await().until(() ->
                rest.get("/orders/late").body().path("status").asText().equals("RESERVED"));
        hub.kill9();
        hub.start().awaitReady();
        checkThatNoMoneyIsKept();
    }

    /**
     * The first order of a hub is slow, so another order comes before the order that must reach the payment in time.
     */
    private void begin() throws Exception {
        hub.start().awaitReady();
        rest.post("/orders", FIRST.json());
        rest.post("/orders", ORDER.json(), "Prefer", "respond-async");
    }

    private void checkThatNoMoneyIsKept() throws Exception {
        await().untilAsserted(() -> {
            JsonNode order = rest.get("/orders/late").body();
            assertThat(order.path("status").asText()).isEqualTo("CANCELLED");
            assertThat(order.path("reason").asText()).isEqualTo("timed-out");
        });
        // The payment would be captured within this time, and is not.
        await().during(PAYMENT)
                .until(() -> rest.all("/payments?orderId=late").stream()
                        .noneMatch(payment -> payment.path("status").asText().equals("CAPTURED")));
        Promises promises = new Promises(rest);
        promises.awaitEnds(Duration.ofMinutes(2));
        promises.check(Map.of("first", FIRST, "late", ORDER), List.of("first", "late"), STOCK);
    }
}
