package io.caravanserai.app;

import static io.caravanserai.app.KafkaHub.bytes;
import static io.caravanserai.app.KafkaHub.order;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records from a hostile or careless producer: each becomes an order or a dead letter, and blocks no later record. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OddRecordsIT {
    private static final int MEBI = 1024 * 1024;

    @TempDir
    static Path folder;

    private static KafkaHub hub;
    private static Admin admin;
    private static int numbers;

    @BeforeAll
    static void start() throws Exception {
        hub = KafkaHub.start(folder, Map.of("hub.events.bus", "kafka"));
        admin = Admin.create(Map.of("bootstrap.servers", hub.brokers()));
    }

    @AfterAll
    static void stop() {
        admin.close();
        hub.close();
    }

    /** After all earlier records, in each partition. */
    @AfterEach
    void goodOrdersAreCarriedOut() throws Exception {
        int partitions = admin.describeTopics(List.of("orders"))
                .allTopicNames()
                .get()
                .get("orders")
                .partitions()
                .size();
        int first = numbers;
        for (int partition = 0; partition < partitions; partition++) {
            hub.send(
                    new ProducerRecord<>("orders", partition, null, bytes(order("good-" + numbers++, "pm_card_visa"))));
        }
        for (int number = first; number < numbers; number++) {
            hub.awaitStatus("good-" + number, "SHIPPED");
        }
    }

    @Test
    @Order(1)
    void oversizedBodyBecomesDeadLetterWithSizeAndDigest() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("compression.type", "gzip"))) {
            for (int bomb = 0; bomb < 8; bomb++) {
                producer.send(new ProducerRecord<>("orders", bomb, bytes("bomb"), new byte[40 * MEBI]))
                        .get();
            }
        }

        List<JsonNode> letters = await().until(() -> letters("bytes, SHA-256"), found -> found.size() == 8);
        assertThat(letters).allSatisfy(letter -> {
            assertThat(letter.path("reason").asText()).isEqualTo("too-large");
            assertThat(letter.path("body").isMissingNode()
                            || letter.path("body").isNull())
                    .isTrue();
            assertThat(letter.path("error").asText()).contains(40 * MEBI + " bytes, SHA-256 ");
            assertThat(letter.path("headers").path("body-left-out").asText()).startsWith(40 * MEBI + " bytes");
        });
        assertThat(recorded(folder)).isLessThan(30L * MEBI);
        String id = letters.get(0).path("id").asText();
        assertThat(hub.post("/dead-letters/" + id + "/replay", "")
                        .json()
                        .path("error")
                        .asText())
                .contains("too large to be kept");
        assertThat(hub.read("orders.DLT", "bomb", 8))
                .hasSize(8)
                .allSatisfy(copy -> assertThat(copy.value()).isNull());
    }

    @Test
    @Order(2)
    void oversizedKeysAndHeadersAreTruncated() throws Exception {
        ProducerRecord<byte[], byte[]> key =
                new ProducerRecord<>("orders", 0, new byte[3 * MEBI], bytes("{\"huge\": 1"));
        ProducerRecord<byte[], byte[]> headers = new ProducerRecord<>("orders", 0, null, bytes("{\"headers\": 1"));
        for (int header = 0; header < 3_000; header++) {
            headers.headers().add("h" + header, new byte[1_000]);
        }
        hub.send(key);
        hub.send(headers);
        ProducerRecord<byte[], byte[]> good =
                new ProducerRecord<>("orders", 0, null, bytes(order("many-headers", "pm_card_visa")));
        for (int header = 0; header < 3_000; header++) {
            good.headers().add("h" + header, new byte[1_000]);
        }
        hub.send(good);

        hub.awaitStatus("many-headers", "SHIPPED");
        JsonNode ofKey = await().until(() -> letters("{\"huge\""), found -> found.size() == 1)
                .get(0);
        assertThat(ofKey.path("headers").path("key-left-out").asText()).startsWith(3 * MEBI + " bytes, SHA-256 ");
        JsonNode ofHeaders = await().until(() -> letters("{\"headers\""), found -> found.size() == 1)
                .get(0);
        assertThat(ofHeaders.path("headers").path("headers-left-out").asInt()).isGreaterThan(100);
        assertThat(ofHeaders.toString().length()).isLessThan(2 * MEBI);
    }

    @Test
    @Order(3)
    void emptyRepeatedAndUnreadableFieldsAreIgnoredOrBecomeDeadLetters() throws Exception {
        int before = letters("").size();
        hub.send(new ProducerRecord<>("orders", 0, null, null));
        hub.send(new ProducerRecord<>("orders", 0, bytes("tombstone"), null));
        hub.send(new ProducerRecord<>("orders", 0, new byte[0], new byte[0]));
        ProducerRecord<byte[], byte[]> doubled =
                new ProducerRecord<>("orders", 0, null, bytes(order("doubled", "pm_card_visa")));
        doubled.headers().add("style", bytes("by-pigeon")).add("style", bytes("queue"));
        doubled.headers().add("idempotency-key", null).add("", new byte[0]).add("\u0000", new byte[] {0});
        hub.send(doubled);
        ProducerRecord<byte[], byte[]> unreadable =
                new ProducerRecord<>("orders", 0, new byte[] {(byte) 0xff}, bytes(order("unreadable", "pm_card_visa")));
        unreadable.headers().add("x", new byte[] {(byte) 0xc3, (byte) 0x28}).add("traceparent", new byte[] {(byte) 0xff
        });
        hub.send(unreadable);

        hub.awaitStatus("doubled", "SHIPPED");
        hub.awaitStatus("unreadable", "SHIPPED");
        assertThat(hub.order("doubled").path("style").asText()).isEqualTo("queue");
        await().untilAsserted(() -> assertThat(letters("")).hasSize(before + 3));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, Long.MAX_VALUE, 4_102_444_800_000L})
    @Order(4)
    void extremeTimestampIsAccepted(long time) {
        setTopic("message.timestamp.after.max.ms", String.valueOf(Long.MAX_VALUE));
        hub.send(new ProducerRecord<>("orders", 0, time, null, bytes(order("at-" + time, "pm_card_visa"))));
        hub.send(new ProducerRecord<>("orders", 0, time, null, bytes("{\"at\": " + time)));

        hub.awaitStatus("at-" + time, "SHIPPED");
        await().untilAsserted(() -> assertThat(letters("{\"at\": " + time)).hasSize(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
    @Order(5)
    void everyCompressionIsRead(String compression) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer =
                producer(Map.of("compression.type", compression, "linger.ms", 200))) {
            List<java.util.concurrent.Future<?>> sent = new ArrayList<>();
            for (int number = 0; number < 5; number++) {
                String id = compression + "-" + number;
                sent.add(producer.send(new ProducerRecord<>("orders", 0, null, bytes(order(id, "pm_card_visa")))));
                sent.add(producer.send(new ProducerRecord<>("orders", 0, null, bytes("{\"" + id))));
            }
            producer.flush();
        }
        for (int number = 0; number < 5; number++) {
            hub.awaitStatus(compression + "-" + number, "SHIPPED");
        }
        await().untilAsserted(() -> assertThat(letters("{\"" + compression)).hasSize(5));
    }

    @Test
    @Order(6)
    void ordersOfTransactionsCountWhenCommittedAndNeverWhenAborted() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("transactional.id", "tx"))) {
            producer.initTransactions();
            for (int round = 0; round < 4; round++) {
                producer.beginTransaction();
                for (int partition = 0; partition < 8; partition++) {
                    String id = "tx-" + round + "-" + partition;
                    producer.send(new ProducerRecord<>("orders", partition, null, bytes(order(id, "pm_card_visa"))));
                }
                producer.flush();
                if (round % 2 == 0) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
        for (int partition = 0; partition < 8; partition++) {
            hub.awaitStatus("tx-1-" + partition, "SHIPPED");
            hub.awaitStatus("tx-3-" + partition, "SHIPPED");
            assertThat(hub.get("/orders/tx-0-" + partition).status()).isEqualTo(404);
            assertThat(hub.get("/orders/tx-2-" + partition).status()).isEqualTo(404);
        }
    }

    @Test
    @Order(7)
    void aRecordAtTheLimitOfTheTopicIsADeadLetter() throws Exception {
        int before = letters("").size();
        hub.send(new ProducerRecord<>("orders", 0, null, new byte[MEBI]));
        hub.send(new ProducerRecord<>("orders", 0, null, new byte[MEBI + 1]));
        // Minus the overhead of the batch.
        hub.send(new ProducerRecord<>("orders", 0, null, new byte[4 * MEBI - 100]));

        await().untilAsserted(() -> assertThat(letters("")).hasSize(before + 3));
    }

    @Test
    @Order(8)
    void offsetOutOfRangeLosesNoOrder() throws Exception {
        hub.send(new ProducerRecord<>("orders", 0, null, bytes(order("before-cut", "pm_card_visa"))));
        hub.awaitStatus("before-cut", "SHIPPED");
        TopicPartition first = new TopicPartition("orders", 0);
        admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(-1)))
                .all()
                .get();

        hub.send(new ProducerRecord<>("orders", 0, null, bytes(order("after-cut", "pm_card_visa"))));
        hub.awaitStatus("after-cut", "SHIPPED");
    }

    @Test
    @Order(9)
    void partitionsThatAreAddedAreRead() throws Exception {
        admin.createPartitions(Map.of("orders", NewPartitions.increaseTo(10)))
                .all()
                .get();
        await().until(() -> admin.describeTopics(List.of("orders"))
                        .allTopicNames()
                        .get()
                        .get("orders")
                        .partitions()
                        .size()
                == 10);
    }

    @Test
    @Order(10)
    void recreatedTopicIsReadFromBeginning() throws Exception {
        for (String topic : List.of("orders", "order-events")) {
            admin.deleteTopics(List.of(topic)).all().get();
            await().ignoreExceptions()
                    .untilAsserted(
                            () -> assertThat(admin.listTopics().names().get()).contains(topic));
        }
        // The offsets of the old topic repeat; the hub must process these orders all the same.
        for (int number = 0; number < 40; number++) {
            String order =
                    order("", "pm_card_visa").replace("\"orderId\": \"\", ", "").replace("\"C-\"", "\"C-anew\"");
            hub.send(new ProducerRecord<>("orders", number % 8, null, bytes(order)));
        }
        hub.send(new ProducerRecord<>("orders", 0, null, bytes("{\"anew\": ")));
        await().untilAsserted(() -> assertThat(hub.items("/orders?customerId=C-anew&status=SHIPPED&limit=100"))
                .hasSize(40));
        await().untilAsserted(() -> assertThat(letters("{\"anew\"")).hasSize(1));
        assertThat(hub.post("/orders?style=choreography", order("events-anew", "pm_card_visa"))
                        .status())
                .isEqualTo(201);
    }

    private static void setTopic(String name, String value) {
        ConfigResource orders = new ConfigResource(ConfigResource.Type.TOPIC, "orders");
        admin.incrementalAlterConfigs(Map.of(
                        orders, List.of(new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET))))
                .all()
                .toCompletionStage()
                .toCompletableFuture()
                .join();
    }

    private static KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(more);
        settings.put("bootstrap.servers", hub.brokers());
        settings.put("max.request.size", 100 * MEBI);
        settings.put("buffer.memory", 200L * MEBI);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static List<JsonNode> letters(String text) {
        List<JsonNode> found = new ArrayList<>();
        String next = "";
        do {
            JsonNode page = hub.get("/dead-letters?limit=200" + next).json();
            page.path("items").forEach(found::add);
            next = page.has("nextCursor") ? "&cursor=" + page.path("nextCursor").asText() : null;
        } while (next != null);
        return found.stream()
                .filter(letter -> letter.path("body").asText().contains(text)
                        || letter.path("error").asText().contains(text))
                .toList();
    }

    /** Bytes in the database and in the topics; the brokers allocate other files in full size. */
    private static long recorded(Path folder) throws Exception {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file ->
                            file.toString().endsWith(".log") || file.toString().contains("hub.db"))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }
}
