package io.caravanserai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OperatorsViewIT {
    @TempDir
    static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        hub = TestHub.start(folder, Map.of());
        hub.put("/stock/SADDLE-01", "{\"onHand\": 1000}");
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"request-reply", "queue", "pubsub", "choreography"})
    void anOperatorsCancelIsAnEventBeforeWhatUndoesTheOrder(String style) {
        String id = "cancelled-" + style;
        hub.post("/orders?style=" + style, KafkaHub.order(id, "pm_slow_5000"), "Prefer", "respond-async");
        await().until(() ->
                hub.get("/orders/" + id).json().path("status").asText().equals("RESERVED"));

        assertThat(hub.post("/orders/" + id + "/cancel", "").status()).isEqualTo(202);

        await().until(() ->
                hub.get("/orders/" + id).json().path("status").asText().equals("CANCELLED"));
        List<String> types = new ArrayList<>();
        hub.get("/events?orderId=" + id)
                .json()
                .path("items")
                .forEach(event -> types.add(event.path("type").asText()));
        assertThat(types)
                .containsSubsequence(
                        "OrderCreated", "ItemsReserved", "OrderCancelRequested", "ItemsReleased", "OrderCancelled");
        assertThat(types).containsOnlyOnce("OrderCancelRequested");
        assertThat(hub.get("/orders/" + id).body()).contains("\"OrderCancelRequested\"");
        assertThat(hub.get("/schemas/OrderCancelRequested/v1").status()).isEqualTo(200);
    }

    @Test
    void everyFamilyOfMetersIsExplainedAndInBaseUnits() {
        assertThat(hub.post("/orders", KafkaHub.order("measured", "pm_card_visa"))
                        .status())
                .isEqualTo(201);
        String text = hub.get("/observe/metrics").body();
        for (String line :
                text.lines().filter(each -> each.startsWith("# TYPE ")).toList()) {
            String family = line.split(" ")[2];
            assertThat(text).containsPattern("(?m)^# HELP " + family + " \\S");
        }
        assertThat(text)
                .doesNotContain("_ns_total")
                .containsPattern("(?m)^process_cpu_seconds_total [0-9.E]+")
                .contains("hub_orders_ended_total{reason=\"\",status=\"SHIPPED\",style=\"request-reply\"}")
                .contains("hub_order_seconds_bucket{style=\"request-reply\",le=\"0.5\"}")
                .contains("hub_outbox_pending{destination=\"bus\"}")
                .contains("hub_oldest_open_order_seconds");
    }
}
