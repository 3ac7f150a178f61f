package io.caravanserai.app;

import static io.caravanserai.app.KafkaHub.bytes;
import static io.caravanserai.app.KafkaHub.header;
import static io.caravanserai.app.KafkaHub.record;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hub with services that consume events over Kafka, and with orders from Kafka. */
class KafkaBusIT {
    private static final int OF_EACH_KIND = 3;
    private static final Set<String> ENDS = Set.of("SHIPPED", "CANCELLED");

    /** Orders for every outcome: sku, payment method and country. */
    private static final List<List<String>> KINDS = List.of(
            List.of("SADDLE-01", "pm_card_visa", "NL"),
            List.of("SADDLE-01", "pm_flaky_2", "NL"),
            List.of("SADDLE-01", "pm_flaky_9", "NL"),
            List.of("SADDLE-01", "pm_slow_300", "NL"),
            List.of("SADDLE-01", "pm_card_declined", "NL"),
            List.of("GONE-02", "pm_card_visa", "NL"),
            List.of("UNHEARD-OF", "pm_card_visa", "NL"),
            List.of("SADDLE-01", "pm_card_visa", "AQ"));

    @TempDir
    static Path folder;

    private static KafkaHub hub;

    @BeforeAll
    static void start() throws Exception {
        hub = KafkaHub.start(folder, Map.of("hub.events.bus", "kafka"));
        hub.put("/stock/SADDLE-01", "{\"onHand\": 100000}");
        hub.put("/stock/GONE-02", "{\"onHand\": 0}");
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @Test
    void ordersDrivenByKafkaEventsEndLikeOrchestratedOrders() throws Exception {
        for (int number = 0; number < OF_EACH_KIND * KINDS.size(); number++) {
            for (String style : List.of("request-reply", "pubsub", "choreography")) {
                hub.send(record(order(style, number), "style", style));
            }
        }

        Map<String, List<String>> wanted = new TreeMap<>();
        for (int number = 0; number < OF_EACH_KIND * KINDS.size(); number++) {
            JsonNode conducted = ended("request-reply", number);
            for (String style : List.of("pubsub", "choreography")) {
                JsonNode driven = ended(style, number);
                assertThat(driven.path("style").asText()).isEqualTo(style);
                assertThat(driven.path("status")).as("%s", driven).isEqualTo(conducted.path("status"));
                assertThat(driven.path("reason")).as("%s", driven).isEqualTo(conducted.path("reason"));
                assertThat(events(driven)).as("%s", driven).isEqualTo(events(conducted));
                wanted.put(id(style, number), events(driven));
            }
            wanted.put(id("request-reply", number), events(conducted));
        }
        int count = wanted.values().stream().mapToInt(List::size).sum();
        Map<String, List<String>> sent = new TreeMap<>();
        for (ConsumerRecord<byte[], byte[]> event : hub.read("order-events", null, count)) {
            sent.computeIfAbsent(new String(event.key(), StandardCharsets.UTF_8), any -> new ArrayList<>())
                    .add(header(event, "ce_type"));
        }
        assertThat(sent).isEqualTo(wanted);
    }

    @Test
    void replayGoesToSourceTopicAndFailsAsSameDeadLetter() throws Exception {
        ProducerRecord<byte[], byte[]> bad = new ProducerRecord<>("orders", bytes("pigeon"), bytes("coo"));
        bad.headers().add("perch", bytes("roof"));
        hub.send(bad);
        JsonNode letter = await().until(() -> hub.items("/dead-letters?source=orders"), found -> !found.isEmpty())
                .get(0);
        String replay = "/dead-letters/" + letter.path("id").asText() + "/replay";

        assertThat(hub.post(replay, "").status()).isEqualTo(200);
        assertThat(hub.post(replay, "").status()).isEqualTo(200);

        List<ConsumerRecord<byte[], byte[]>> sent = hub.read("orders", "pigeon", 3);
        assertThat(sent).hasSize(3).allSatisfy(record -> {
            assertThat(record.value()).isEqualTo(bytes("coo"));
            assertThat(header(record, "perch")).isEqualTo("roof");
        });
        assertThat(hub.read("orders.DLT", "pigeon", 3))
                .hasSize(3)
                .allSatisfy(dead -> assertThat(header(dead, "dead-letter-id"))
                        .isEqualTo(letter.path("id").asText()));
        await().during(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(hub.items("/dead-letters?source=orders"))
                        .singleElement()
                        .satisfies(again -> {
                            assertThat(again.path("id")).isEqualTo(letter.path("id"));
                            assertThat(again.path("replays").asInt()).isEqualTo(2);
                        }));
    }

    private static String id(String style, int number) {
        return style + "-" + number;
    }

    private static String order(String style, int number) {
        List<String> kind = KINDS.get(number % KINDS.size());
        return KafkaHub.order(id(style, number), kind.get(0), kind.get(1), kind.get(2));
    }

    private static JsonNode ended(String style, int number) {
        return await().pollDelay(Duration.ZERO)
                .until(
                        () -> hub.order(id(style, number)),
                        order -> ENDS.contains(order.path("status").asText()));
    }

    private static List<String> events(JsonNode order) {
        List<String> names = new ArrayList<>();
        for (JsonNode entry : order.path("history")) {
            if (entry.path("kind").asText().equals("event")) {
                names.add(entry.path("name").asText());
            }
        }
        return names;
    }
}
