package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Records with forged headers of the hub, or with oversized fields. */
class KafkaForgeriesIT {
    @TempDir
    static Path folder;

    private static KafkaHub hub;

    @BeforeAll
    static void start() throws Exception {
        hub = KafkaHub.start(folder, Map.of());
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @Test
    void forgedOriginMergesNeitherDeadLettersNorOrders() throws Exception {
        for (int i = 0; i < 3; i++) {
            hub.send(record("{\"broken\": \"forged-" + i, "kafka-orders:orders-0-0@1"));
        }
        for (int i = 0; i < 6; i++) {
            String order = KafkaHub.order("", "pm_card_visa")
                    .replace("\"orderId\": \"\", ", "")
                    .replace("\"C-\"", "\"C-six\"");
            hub.send(record(order, "kafka-orders:orders-0-" + i % 2 + "@1"));
        }

        await().untilAsserted(() -> {
            assertThat(hub.items("/orders?customerId=C-six&status=SHIPPED")).hasSize(6);
            assertThat(letters("forged-")).hasSize(3);
        });
    }

    @Test
    void replayThatFailsAgainIsSameDeadLetter() throws Exception {
        hub.send(record("{\"broken\": \"replayed", null));
        JsonNode letter = await().until(() -> letters("replayed"), found -> found.size() == 1)
                .get(0);
        String received = letter.path("receivedAt").asText();

        hub.post("/dead-letters/" + letter.path("id").asText() + "/replay", "");

        await().untilAsserted(() -> assertThat(letters("replayed"))
                .singleElement()
                .satisfies(again -> {
                    assertThat(again.path("id")).isEqualTo(letter.path("id"));
                    assertThat(again.path("receivedAt").asText()).isGreaterThan(received);
                    assertThat(again.path("headers").has("dead-letter-seal")).isFalse();
                }));
    }

    @Test
    void recordWithHugeKeyBecomesDeadLetterAndNextRecordIsConsumed() throws Exception {
        ProducerRecord<byte[], byte[]> endless = KafkaHub.record(
                KafkaHub.order("K-endless", "pm_card_visa"), "idempotency-key", "\"" + "k".repeat(20_000) + "\"");
        hub.send(endless);
        hub.send(KafkaHub.record(KafkaHub.order("K-behind", "pm_card_visa")));

        hub.awaitStatus("K-behind", "SHIPPED");
        await().untilAsserted(() -> assertThat(letters("K-endless"))
                .extracting(letter -> letter.path("reason").asText())
                .containsExactly("invalid-idempotency-key"));
        assertThat(hub.get("/observe/health/ready").status()).isEqualTo(200);
    }

    private static ProducerRecord<byte[], byte[]> record(String body, String origin) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>("orders", 0, null, body.getBytes(StandardCharsets.UTF_8));
        if (origin != null) {
            record.headers().add("dead-letter-origin", origin.getBytes(StandardCharsets.UTF_8));
            record.headers().add("dead-letter-seal", "f".repeat(64).getBytes(StandardCharsets.UTF_8));
        }
        return record;
    }

    private static List<JsonNode> letters(String inBody) {
        return hub.items("/dead-letters?limit=200").stream()
                .filter(letter -> letter.path("body").asText().contains(inBody))
                .toList();
    }
}
