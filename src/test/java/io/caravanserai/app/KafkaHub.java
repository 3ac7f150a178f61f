package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A hub in this process with an embedded Kafka broker, and clients of both. */
final class KafkaHub implements AutoCloseable {
    private final TestHub hub;
    private final KafkaProducer<byte[], byte[]> producer;

    private KafkaHub(TestHub hub) {
        this.hub = hub;
        this.producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        hub.kafkaBrokers(),
                        "max.request.size",
                        8_000_000,
                        "max.in.flight.requests.per.connection",
                        1),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    /** @param more settings in addition to the folder, free ports and the broker */
    static KafkaHub start(Path folder, Map<String, String> more) throws Exception {
        Map<String, String> settings = new HashMap<>(more);
        settings.put("hub.kafka.brokers", "embedded");
        settings.put("hub.kafka.port", "0");
        return new KafkaHub(TestHub.start(folder, settings));
    }

    /** The hub, for its REST API. */
    TestHub hub() {
        return hub;
    }

    String brokers() {
        return hub.kafkaBrokers();
    }

    /** Returns once the brokers have acknowledged the record. */
    void send(ProducerRecord<byte[], byte[]> record) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        producer.send(record, (metadata, failure) -> {
            if (failure == null) {
                sent.complete(null);
            } else {
                sent.completeExceptionally(failure);
            }
        });
        sent.join();
    }

    /** Like {@link #send}, compressed so that the broker accepts a record of any size. */
    void sendCompressed(ProducerRecord<byte[], byte[]> record) throws Exception {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                brokers(),
                "max.request.size",
                80_000_000,
                "buffer.memory",
                100_000_000,
                "compression.type",
                "gzip");
        try (KafkaProducer<byte[], byte[]> compressing =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            compressing.send(record).get();
        }
    }

    TestHub.Answer get(String path) {
        return hub.get(path);
    }

    TestHub.Answer put(String path, String body) {
        return hub.put(path, body);
    }

    TestHub.Answer post(String path, String body) {
        return hub.post(path, body);
    }

    /** Returns the first page of a list. */
    List<JsonNode> items(String path) {
        List<JsonNode> items = new ArrayList<>();
        get(path).json().path("items").forEach(items::add);
        return items;
    }

    JsonNode order(String id) {
        return get("/orders/" + id).json();
    }

    void awaitStatus(String orderId, String status) {
        await().untilAsserted(
                        () -> assertThat(order(orderId).path("status").asText()).isEqualTo(status));
    }

    /**
     * Reads a topic from the beginning until the topic has the number of records with the key; null stands for any key.
     */
    List<ConsumerRecord<byte[], byte[]>> read(String topic, String key, int count) {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        brokers(),
                        "group.id",
                        "reader-" + System.nanoTime(),
                        "auto.offset.reset",
                        "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
            while (found.size() < count && System.nanoTime() < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(300))) {
                    if (key == null
                            || (record.key() != null && key.equals(new String(record.key(), StandardCharsets.UTF_8)))) {
                        found.add(record);
                    }
                }
            }
        }
        return found;
    }

    /** An order of one saddle; the customer id equals the order id. */
    static String order(String id, String paymentMethod) {
        return order(id, "SADDLE-01", paymentMethod, "NL");
    }

    static String order(String id, String sku, String paymentMethod, String country) {
        return """
                {"orderId": "%s", "customerId": "C-%s", "items": [{"sku": "%s", "quantity": 1, "unitPrice": 5.00}],
                 "currency": "EUR", "paymentMethod": "%s", "shippingAddress": {"country": "%s"}}""".formatted(id, id, sku, paymentMethod, country);
    }

    /** A record for the topic of orders. */
    static ProducerRecord<byte[], byte[]> record(String body, String... header) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>("orders", bytes(body));
        if (header.length > 0) {
            record.headers().add(header[0], bytes(header[1]));
        }
        return record;
    }

    static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        producer.close();
        hub.close();
    }
}
