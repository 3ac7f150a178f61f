package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.broker.KafkaProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Kafka cluster for events is unavailable when the hub starts, then starts, stops and starts again. */
class KafkaAwayIT {
    @TempDir
    Path folder;

    @Test
    void hubAcceptsOrdersReportsMissingKafkaAndCatchesUp() throws Exception {
        Path data = folder.resolve("kafka");
        KafkaProcess broker = KafkaProcess.start(data, FreePort.take());
        broker.close();
        long begun = System.nanoTime();
        try (TestHub hub = TestHub.start(
                folder.resolve("hub"),
                Map.of("hub.kafka.brokers", broker.bootstrapServers(), "hub.events.bus", "kafka"))) {
            // Each of the thirteen subscribers of the hub would wait for seconds, in sequence.
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(60));
            isNotReadyForWantOf(broker, hub);
            isTakenAndWaits(hub, "at-start", "pubsub");

            broker = KafkaProcess.start(data, broker.port());
            isShippedAndAllIsWell(hub, "at-start");

            broker.kill();
            await().untilAsserted(() ->
                    assertThat(hub.get("/observe/health/ready").status()).isEqualTo(503));
            isNotReadyForWantOf(broker, hub);
            isTakenAndWaits(hub, "later", "choreography");

            broker = KafkaProcess.start(data, broker.port());
            isShippedAndAllIsWell(hub, "later");
        } finally {
            broker.close();
        }
    }

    private static void isNotReadyForWantOf(KafkaProcess broker, TestHub hub) {
        TestHub.Answer ready = hub.get("/observe/health/ready");
        assertThat(ready.status()).isEqualTo(503);
        assertThat(ready.body()).contains("Kafka at " + broker.bootstrapServers());
        assertThat(hub.get("/observe/health/live").status()).isEqualTo(200);
    }

    private static void isTakenAndWaits(TestHub hub, String id, String style) {
        assertThat(hub.post("/orders?style=" + style, KafkaHub.order(id, "pm_card_visa"), "Prefer", "respond-async")
                        .status())
                .isEqualTo(202);
        // Another style does not need Kafka.
        assertThat(hub.post("/orders", KafkaHub.order(id + "-called", "pm_card_visa"))
                        .status())
                .isEqualTo(201);
        assertThat(hub.get("/orders/" + id).json().path("status").asText()).isEqualTo("CREATED");
    }

    private static void isShippedAndAllIsWell(TestHub hub, String id) {
        await().untilAsserted(() -> assertThat(
                        hub.get("/orders/" + id).json().path("status").asText())
                .isEqualTo("SHIPPED"));
        await().untilAsserted(() ->
                assertThat(hub.get("/observe/health/ready").status()).isEqualTo(200));
    }
}
