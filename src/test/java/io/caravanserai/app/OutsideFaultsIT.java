package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.FaultyProvider.Fault;
import io.caravanserai.order.Style;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Orders over a payment provider with all faults at once: each order is charged once, and only shipped orders stay
 * charged.
 */
class OutsideFaultsIT {
    private static final int ORDERS = 200;
    private static final int TIMEOUT_MILLIS = 500;
    private static final List<Fault> FAULTS = List.of(Fault.values());
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "%s", "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}],
             "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "%s"}}
            """;

    @TempDir
    private Path folder;

    private FaultyProvider provider;
    private TestHub hub;

    @BeforeEach
    void start() throws Exception {
        provider = new FaultyProvider(TIMEOUT_MILLIS / 5, TIMEOUT_MILLIS * 3 / 2);
        hub = TestHub.start(
                folder.resolve("data"),
                Map.of(
                        "hub.routes.dir",
                        PaymentOutside.copyOfRoutes(folder).toString(),
                        "hub.saga.compensation.attempts",
                        "1000",
                        "hub.saga.compensation.backoff",
                        "10ms"));
        hub.put("/stock/BELL", "{\"onHand\": 1000}");
    }

    @AfterEach
    void stop() throws Exception {
        hub.close();
        provider.close();
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void noOrderIsChargedTwiceOrWithoutShipment(Style style) throws Exception {
        TestHub.Answer put = hub.put(
                "/flows/" + style.flow() + ".camel.yaml",
                PaymentOutside.of(style, provider.port(), TIMEOUT_MILLIS),
                "Content-Type",
                "application/yaml");
        assertThat(put.status()).as(put.body()).isEqualTo(200);
        long seed = System.nanoTime();
        Map<String, Random> chances = new ConcurrentHashMap<>();
        provider.faults(request -> {
            Random chance = chances.computeIfAbsent(request.orderId(), id -> new Random(seed ^ id.hashCode()));
            synchronized (chance) {
                return chance.nextInt(100) < 40 ? FAULTS.get(chance.nextInt(FAULTS.size())) : Fault.NONE;
            }
        });

        List<CompletableFuture<TestHub.Answer>> posted = new ArrayList<>();
        for (int i = 0; i < ORDERS; i++) {
            String customer = i % 10 == 3 ? "C-poor" : "C-rich";
            String country = i % 5 == 2 ? "AQ" : "NL";
            posted.add(hub.send(
                    "POST",
                    "/orders?style=" + style.wire(),
                    ORDER.formatted(id(style, i), customer, country),
                    "Prefer",
                    "respond-async"));
            if (i == ORDERS / 2) {
                provider.down();
            }
        }
        posted.forEach(answer -> assertThat(answer.join().status()).isEqualTo(202));
        provider.up();

        Map<String, String> ends = new ConcurrentHashMap<>();
        await().atMost(Duration.ofMinutes(4)).untilAsserted(() -> {
            for (int i = 0; i < ORDERS; i++) {
                String id = id(style, i);
                if (!ends.containsKey(id)) {
                    JsonNode order = hub.get("/orders/" + id).json();
                    assertThat(order.path("status").asText())
                            .as(order.toString())
                            .isIn("SHIPPED", "CANCELLED");
                    ends.put(id, order.path("status").asText());
                }
            }
            // Without a saga the refund may come after the cancellation of the order.
            assertThat(ends.entrySet())
                    .as("seed " + seed)
                    .allMatch(end -> end.getValue().equals("SHIPPED") || !provider.keeps(end.getKey()));
        });
        assertThat(provider.violations()).as("seed " + seed).isEmpty();
        assertThat(ends.entrySet()).as("seed " + seed).allSatisfy(end -> {
            assertThat(provider.charges(end.getKey())).isLessThanOrEqualTo(1);
            if (end.getValue().equals("SHIPPED")) {
                assertThat(provider.keeps(end.getKey())).as("paid").isTrue();
            }
            assertThat(payment(end.getKey()))
                    .isIn(end.getValue().equals("SHIPPED") ? List.of("CAPTURED") : List.of("REFUNDED", ""));
        });
        assertThat(ends.values()).contains("SHIPPED", "CANCELLED");
    }

    private static String id(Style style, int i) {
        return style.wire() + "-" + i;
    }

    private String payment(String orderId) {
        return hub.get("/payments?orderId=" + orderId)
                .json()
                .path("items")
                .path(0)
                .path("status")
                .asText();
    }
}
