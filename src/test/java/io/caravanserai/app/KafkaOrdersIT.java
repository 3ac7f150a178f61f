package io.caravanserai.app;

import static io.caravanserai.app.KafkaHub.bytes;
import static io.caravanserai.app.KafkaHub.header;
import static io.caravanserai.app.KafkaHub.order;
import static io.caravanserai.app.KafkaHub.record;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.deadletter.DeadLetter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Orders and events over Kafka, seen by an outside client. */
class KafkaOrdersIT {
    private static final int MOVING = 400;

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
    void orderFromTopicIsProcessedAndEventsArePublishedInOrder() throws Exception {
        hub.send(record(
                order("K-1", "pm_card_visa"),
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

        hub.awaitStatus("K-1", "SHIPPED");
        List<ConsumerRecord<byte[], byte[]>> events = hub.read("order-events", "K-1", 4);
        assertThat(events)
                .extracting(event -> header(event, "ce_type"))
                .containsExactly("OrderCreated", "ItemsReserved", "PaymentProcessed", "OrderShipped");
        assertThat(events).allSatisfy(event -> {
            assertThat(event.key()).isEqualTo("K-1".getBytes(StandardCharsets.UTF_8));
            assertThat(header(event, "ce_specversion")).isEqualTo("1.0");
            assertThat(header(event, "content-type")).isEqualTo("application/json");
            assertThat(header(event, "ce_traceparent")).contains("0af7651916cd43dd8448eb211c80319c");
        });
    }

    @Test
    void theSameOrderTwiceHasOneEffect() throws Exception {
        String body = order("once", "pm_card_visa").replace("\"orderId\": \"once\",", "");
        hub.send(record(body, "idempotency-key", "\"key-1\""));
        hub.send(record(body, "idempotency-key", "key-1"));
        hub.send(record(order("K-2", "pm_card_visa")));
        hub.send(record(order("K-2", "pm_card_visa")));

        hub.awaitStatus("K-2", "SHIPPED");
        await().untilAsserted(() -> assertThat(
                        hub.get("/orders?customerId=C-once").json().path("items"))
                .hasSize(1));
    }

    @Test
    void headersOfCamelFromOutsideDoNothing() throws Exception {
        ProducerRecord<byte[], byte[]> record = record(order("K-3", "pm_card_visa"), "Long-Running-Action", "saga-x");
        record.headers().add("CamelHttpUri", bytes("http://127.0.0.1:1/"));
        record.headers().add("orderId", bytes("K-other"));
        hub.send(record);

        hub.awaitStatus("K-3", "SHIPPED");
        assertThat(hub.order("K-3").path("sagaId").asText()).isNotEqualTo("saga-x");
    }

    @Test
    void emptyHeadersAreIgnored() throws Exception {
        ProducerRecord<byte[], byte[]> record = record(order("K-4", "pm_card_visa"), "style", "");
        record.headers().add("idempotency-key", null);
        hub.send(record);

        hub.awaitStatus("K-4", "SHIPPED");
    }

    @Test
    void invalidRecordBecomesDeadLetterWithReasonAndNeighboursAreProcessed() throws Exception {
        hub.send(new ProducerRecord<>("orders", 0, null, bytes(order("K-before", "pm_card_visa"))));
        hub.send(new ProducerRecord<>("orders", 0, null, null));
        hub.send(new ProducerRecord<>("orders", 0, null, new byte[2 * 1024 * 1024]));
        hub.send(new ProducerRecord<>("orders", 0, bytes("key-of-broken"), bytes("{\"customerId\": ")));
        hub.send(new ProducerRecord<>("orders", 0, null, new byte[] {(byte) 0xff, (byte) 0xfe, 0}));
        hub.send(inFirst(record(order("K-style", "pm_card_visa"), "style", "by-pigeon")));
        ProducerRecord<byte[], byte[]> garbage = inFirst(record(order("K-garbage", "pm_card_visa")));
        garbage.headers().add("idempotency-key", new byte[] {(byte) 0xff, 0, (byte) 0xfe});
        hub.send(garbage);
        hub.send(inFirst(record("{\"customerId\": \"C-1\"}")));
        hub.send(new ProducerRecord<>("orders", 0, null, bytes(order("K-after", "pm_card_visa"))));

        hub.awaitStatus("K-before", "SHIPPED");
        hub.awaitStatus("K-after", "SHIPPED");
        await().untilAsserted(() -> assertThat(deadLetters())
                .extracting(
                        letter -> letter.path("source").asText(),
                        letter -> letter.path("reason").asText())
                .containsExactlyInAnyOrder(
                        tuple("orders", "no-body"),
                        tuple("orders", "too-large"),
                        tuple("orders", "invalid-json"),
                        tuple("orders", "invalid-json"),
                        tuple("orders", "unknown-style"),
                        tuple("orders", "invalid-idempotency-key"),
                        tuple("orders", "invalid-order")));
        List<ConsumerRecord<byte[], byte[]>> dead = hub.read("orders.DLT", null, 7);
        assertThat(dead)
                .extracting(letter -> header(letter, "reason"))
                .hasSize(7)
                .doesNotContainNull();
        assertThat(dead)
                .filteredOn(letter -> "invalid-idempotency-key".equals(header(letter, "reason")))
                .first()
                .satisfies(letter -> assertThat(
                                letter.headers().lastHeader("idempotency-key").value())
                        .isEqualTo(new byte[] {(byte) 0xff, 0, (byte) 0xfe}));
        assertThat(hub.get("/orders/K-garbage").status()).isEqualTo(404);
    }

    @Test
    void deadLetterOfOversizedRecordIsBounded() throws Exception {
        byte[] body = new byte[DeadLetter.MAX_BODY + 1];
        hub.sendCompressed(new ProducerRecord<>("orders", 0, bytes("key-of-huge"), body));
        ProducerRecord<byte[], byte[]> wordy = inFirst(record("{", DeadLetter.BODY_LEFT_OUT, "made up by the sender"));
        for (int i = 0; i < 40; i++) {
            wordy.headers().add("header-" + i, new byte[20_000]);
        }
        hub.send(wordy);
        hub.send(new ProducerRecord<>("orders", 0, null, bytes(order("K-after-huge", "pm_card_visa"))));

        hub.awaitStatus("K-after-huge", "SHIPPED");
        JsonNode huge = kept("key-of-huge");
        assertThat(huge.path("reason").asText()).isEqualTo("too-large");
        assertThat(huge.path("body").isNull() || huge.path("body").isMissingNode())
                .as(huge.toString())
                .isTrue();
        assertThat(huge.path("headers").path(DeadLetter.BODY_LEFT_OUT).asText()).startsWith(body.length + " bytes");
        TestHub.Answer replayed = hub.post("/dead-letters/" + huge.path("id").asText() + "/replay", "");
        assertThat(replayed.json().toString()).contains("too large to be kept");
        JsonNode headers = deadLetters().stream()
                .map(each -> each.path("headers"))
                .filter(each -> each.has("header-0"))
                .findFirst()
                .orElseThrow();
        assertThat(headers.toString().length()).isLessThan(2_000_000);
        assertThat(headers.path("headers-left-out").asInt()).isBetween(20, 39);
        assertThat(headers.has(DeadLetter.BODY_LEFT_OUT)).isFalse();
    }

    private static JsonNode kept(String key) {
        return deadLetters().stream()
                .filter(each -> each.path("headers").toString().contains(key))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void rebalanceNeitherLosesNorDuplicatesOrders() throws Exception {
        hub.put("/stock/MOVING-1", "{\"onHand\": 1000}");
        CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
            for (int number = 0; number < MOVING; number++) {
                String id = "M-" + number;
                String order = order(id, "MOVING-1", "pm_card_visa", "NL");
                // Every other order has no id and is identified only by the position in the topic.
                hub.send(record(number % 2 == 0 ? order : order.replace("\"orderId\": \"" + id + "\",", "")));
            }
        });

        for (int guests = 0; guests < 3; guests++) {
            joinAndLeaveTheHubsGroup();
        }

        sending.get(300, TimeUnit.SECONDS);
        await().during(Duration.ofSeconds(2)).untilAsserted(() -> {
            JsonNode stock = hub.get("/stock/MOVING-1").json();
            assertThat(stock.path("shipped").asInt()).isEqualTo(MOVING);
            assertThat(stock.path("onHand").asInt()).isEqualTo(1000 - MOVING);
        });
    }

    /** Joins the consumer group, reads some records of the assigned partitions and commits nothing. */
    private static void joinAndLeaveTheHubsGroup() {
        try (KafkaConsumer<byte[], byte[]> guest = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        hub.brokers(),
                        "group.id",
                        "hub-orders",
                        "enable.auto.commit",
                        false,
                        "partition.assignment.strategy",
                        CooperativeStickyAssignor.class.getName()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            guest.subscribe(List.of("orders"));
            await().until(() -> {
                guest.poll(Duration.ofMillis(100));
                return !guest.assignment().isEmpty();
            });
            guest.poll(Duration.ofMillis(200));
        }
    }

    private static List<JsonNode> deadLetters() {
        return hub.items("/dead-letters?limit=100");
    }

    private static ProducerRecord<byte[], byte[]> inFirst(ProducerRecord<byte[], byte[]> record) {
        return new ProducerRecord<>(record.topic(), 0, record.key(), record.value(), record.headers());
    }
}
