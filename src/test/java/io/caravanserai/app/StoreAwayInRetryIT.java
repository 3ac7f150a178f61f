package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A database that becomes unavailable between two attempts of a step. Camel keeps the policy of the first exception for
 * a later exception without a policy, so the give-up endpoint of the flow receives the outage of the database.
 */
class StoreAwayInRetryIT {
    /** The provider fails four times: the fifth attempt, the last of the flow, succeeds. */
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "pm_flaky_4",
             "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}
            """;

    /** Each write waits two seconds for the lock, so the remaining attempts of the flows end during the outage. */
    private static final Duration OUTAGE = Duration.ofSeconds(14);

    private static final List<String> STYLES = List.of("request-reply", "queue", "pubsub", "choreography");

    @TempDir
    Path folder;

    private TestHub hub;

    @BeforeEach
    void start() throws Exception {
        hub = TestHub.start(folder, Map.of());
        hub.put("/stock/SADDLE-01", "{\"onHand\": 1000}");
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void orderWhoseRetryMeetsTheOutageIsShippedAfterIt() throws Exception {
        try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("hub.db"));
                Statement statement = other.createStatement()) {
            for (String style : STYLES) {
                hub.post("/orders?style=" + style, ORDER.formatted(style), "Prefer", "respond-async");
            }
            await().until(() -> STYLES.stream().allMatch(style -> attempts(style) >= 1));

            statement.execute("BEGIN IMMEDIATE");
            await().until(() -> hub.get("/observe/health/ready").status() == 503);
            await().pollDelay(OUTAGE).until(() -> true);
            statement.execute("ROLLBACK");
        }

        for (String style : STYLES) {
            await().untilAsserted(() -> assertThat(order(style).path("status").asText())
                    .as(order(style).toPrettyString())
                    .isEqualTo("SHIPPED"));
        }
    }

    private int attempts(String orderId) {
        int attempts = 0;
        for (JsonNode entry : order(orderId).path("history")) {
            if (entry.path("name").asText().equals("process-payment")) {
                attempts++;
            }
        }
        return attempts;
    }

    private JsonNode order(String orderId) {
        return hub.get("/orders/" + orderId).json();
    }
}
