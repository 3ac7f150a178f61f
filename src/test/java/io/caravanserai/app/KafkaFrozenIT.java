package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.broker.KafkaProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The outside Kafka cluster for events is stopped by a signal. */
class KafkaFrozenIT {
    @TempDir
    Path folder;

    @Test
    void ordersWithoutKafkaStepsEndWhileOtherOrdersWait() throws Exception {
        try (KafkaProcess broker = KafkaProcess.start(folder.resolve("kafka"), FreePort.take());
                TestHub hub = TestHub.start(
                        folder.resolve("hub"),
                        Map.of("hub.kafka.brokers", broker.bootstrapServers(), "hub.events.bus", "kafka"))) {
            await().until(() -> hub.get("/observe/health/ready").status() == 200);
            hub.put("/stock/SADDLE-01", "{\"onHand\": 1000}");

            broker.freeze();
            long frozen = System.nanoTime();
            for (int i = 0; i < 40; i++) {
                assertThat(hub.post(
                                        "/orders?style=pubsub",
                                        KafkaHub.order("waits-" + i, "pm_card_visa"),
                                        "Prefer",
                                        "respond-async")
                                .status())
                        .isEqualTo(202);
            }
            await().pollInterval(Duration.ofMillis(100))
                    .until(() -> hub.get("/observe/health/ready").status() == 503);
            assertThat(Duration.ofNanos(System.nanoTime() - frozen)).isLessThan(Duration.ofSeconds(20));
            for (int i = 0; i < 20; i++) {
                long began = System.nanoTime();
                assertThat(hub.post("/orders", KafkaHub.order("needs-none-" + i, "pm_card_visa"))
                                .status())
                        .isEqualTo(201);
                assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
            }

            broker.thaw();
            await().until(() -> hub.get("/observe/health/ready").status() == 200);
            await().untilAsserted(() -> assertThat(hub.get("/orders?limit=100&style=pubsub&status=SHIPPED")
                            .json()
                            .path("items"))
                    .hasSize(40));
        }
    }
}
