package io.caravanserai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.order.OrderJson;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Orders in and events out over Kafka, as somebody outside sees it. */
class KafkaOrdersIT {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    static Path folder;

    private static Hub hub;
    private static KafkaProducer<byte[], byte[]> producer;

    @BeforeAll
    static void start() throws Exception {
        hub = Hub.start(new SettingsReader(
                        Map.of(),
                        Map.of(
                                "hub.data.dir", folder.toString(),
                                "hub.http.port", "0",
                                "hub.jms.port", "0",
                                "hub.kafka.brokers", "embedded",
                                "hub.kafka.port", "0"))
                .read()
                .settings());
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", hub.kafkaBrokers().orElseThrow(), "max.request.size", 8_000_000),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    @AfterAll
    static void stop() {
        producer.close();
        hub.close();
    }

    @Test
    void anOrderIsCarriedOutAndItsEventsGoOutInOrder() throws Exception {
        send(record(
                order("K-1", "pm_card_visa"),
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

        awaitStatus("K-1", "SHIPPED");
        List<ConsumerRecord<byte[], byte[]>> events = read("order-events", "K-1", 4);
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
        String body = "{" + WITHOUT_ID.formatted("pm_card_visa");
        send(record(body, "idempotency-key", "\"key-1\""));
        send(record(body, "idempotency-key", "key-1"));
        send(record(order("K-2", "pm_card_visa")));
        send(record(order("K-2", "pm_card_visa")));

        awaitStatus("K-2", "SHIPPED");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(get("/orders?customerId=C-once").path("items"))
                        .hasSize(1));
    }

    @Test
    void headersOfCamelFromOutsideDoNothing() throws Exception {
        ProducerRecord<byte[], byte[]> record = record(order("K-3", "pm_card_visa"), "Long-Running-Action", "saga-x");
        record.headers().add("CamelHttpUri", bytes("http://127.0.0.1:1/"));
        record.headers().add("orderId", bytes("K-other"));
        send(record);

        awaitStatus("K-3", "SHIPPED");
        assertThat(get("/orders/K-3").path("sagaId").asText()).isNotEqualTo("saga-x");
    }

    @Test
    void whatIsNoOrderIsADeadLetterWithItsReasonAndItsNeighboursAreCarriedOut() throws Exception {
        send(new ProducerRecord<>("orders", 0, null, bytes(order("K-before", "pm_card_visa"))));
        send(new ProducerRecord<>("orders", 0, null, null));
        send(new ProducerRecord<>("orders", 0, null, new byte[2 * 1024 * 1024]));
        send(new ProducerRecord<>("orders", 0, bytes("key-of-broken"), bytes("{\"customerId\": ")));
        send(new ProducerRecord<>("orders", 0, null, new byte[] {(byte) 0xff, (byte) 0xfe, 0}));
        send(inFirst(record(order("K-style", "pm_card_visa"), "style", "by-pigeon")));
        ProducerRecord<byte[], byte[]> garbage = inFirst(record(order("K-garbage", "pm_card_visa")));
        garbage.headers().add("idempotency-key", new byte[] {(byte) 0xff, 0, (byte) 0xfe});
        send(garbage);
        send(inFirst(record("{\"customerId\": \"C-1\"}")));
        send(new ProducerRecord<>("orders", 0, null, bytes(order("K-after", "pm_card_visa"))));

        awaitStatus("K-before", "SHIPPED");
        awaitStatus("K-after", "SHIPPED");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(get("/dead-letters?limit=100").path("items"))
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
        List<ConsumerRecord<byte[], byte[]>> dead = read("orders.DLT", null, 7);
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
        assertThat(HTTP.send(
                                HttpRequest.newBuilder(uri("/orders/K-garbage")).build(),
                                HttpResponse.BodyHandlers.discarding())
                        .statusCode())
                .isEqualTo(404);
    }

    private static final String WITHOUT_ID = """
            "customerId": "C-once", "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 5.00}],
             "currency": "EUR", "paymentMethod": "%s", "shippingAddress": {"country": "NL"}}""";

    private static String order(String id, String method) {
        return "{\"orderId\": \"" + id + "\", " + WITHOUT_ID.formatted(method).replace("C-once", "C-" + id);
    }

    private static ProducerRecord<byte[], byte[]> record(String body, String... header) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>("orders", bytes(body));
        if (header.length > 0) {
            record.headers().add(header[0], bytes(header[1]));
        }
        return record;
    }

    private static ProducerRecord<byte[], byte[]> inFirst(ProducerRecord<byte[], byte[]> record) {
        return new ProducerRecord<>(record.topic(), 0, record.key(), record.value(), record.headers());
    }

    private static void send(ProducerRecord<byte[], byte[]> record) throws Exception {
        producer.send(record).get();
    }

    private static void awaitStatus(String orderId, String status) {
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(
                                get("/orders/" + orderId).path("status").asText())
                        .isEqualTo(status));
    }

    /** Reads a topic from its beginning until there are so many records of that key; of any key when it is null. */
    private static List<ConsumerRecord<byte[], byte[]>> read(String topic, String key, int count) {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        hub.kafkaBrokers().orElseThrow(),
                        "group.id",
                        "reader-" + System.nanoTime(),
                        "auto.offset.reset",
                        "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            for (int polls = 0; found.size() < count && polls < 100; polls++) {
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

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static JsonNode get(String path) throws Exception {
        return OrderJson.MAPPER.readTree(
                HTTP.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString())
                        .body());
    }

    private static URI uri(String path) {
        return URI.create("http://127.0.0.1:" + hub.port() + path);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
