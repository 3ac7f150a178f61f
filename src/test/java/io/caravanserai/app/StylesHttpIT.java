package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.order.Style;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A posted order gets the same answer in every style. */
class StylesHttpIT {
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "items": [{"sku": "%s", "quantity": 2, "unitPrice": 50.00}],
             "currency": "EUR", "paymentMethod": "%s", "shippingAddress": {"country": "%s"}}
            """;

    @TempDir
    static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        hub = TestHub.start(folder, Map.of());
        hub.put("/stock/LAMP", "{\"onHand\": 1000}");
        hub.put("/stock/GONE", "{\"onHand\": 1}");
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void orderIsAnsweredAtItsEnd(Style style) {
        ships(style, "pm_card_visa");
        ships(style, "pm_flaky_2");
        ships(style, "pm_slow_200");
        fails(style, "LAMP", "pm_card_declined", "NL", "payment-declined");
        fails(style, "GONE", "pm_card_visa", "NL", "out-of-stock");
        fails(style, "UNHEARD-OF", "pm_card_visa", "NL", "unknown-sku");
        fails(style, "LAMP", "pm_card_visa", "AQ", "shipping-refused");
    }

    private static void ships(Style style, String method) {
        String id = style.wire() + "-" + method;
        TestHub.Answer answer = post(style, ORDER.formatted(id, "LAMP", method, "NL"));
        assertThat(answer.status()).as(answer.body()).isEqualTo(201);
        assertThat(answer.header("Location")).isEqualTo("/orders/" + id);
        assertThat(answer.json().path("status").asText()).isEqualTo("SHIPPED");
        assertThat(answer.json().path("style").asText()).isEqualTo(style.wire());
    }

    private static void fails(Style style, String sku, String method, String country, String reason) {
        String id = style.wire() + "-" + reason;
        TestHub.Answer answer = post(style, ORDER.formatted(id, sku, method, country));
        JsonNode problem = answer.json();
        assertThat(answer.status()).as(answer.body()).isEqualTo(409);
        assertThat(answer.header("Content-Type")).startsWith("application/problem+json");
        assertThat(answer.header("Location")).isEqualTo("/orders/" + id);
        assertThat(problem.path("orderId").asText()).isEqualTo(id);
        assertThat(problem.path("orderStatus").asText()).isEqualTo("CANCELLED");
        assertThat(problem.path("reason").asText()).isEqualTo(reason);
    }

    private static TestHub.Answer post(Style style, String order) {
        return hub.post("/orders?style=" + style.wire(), order);
    }
}
