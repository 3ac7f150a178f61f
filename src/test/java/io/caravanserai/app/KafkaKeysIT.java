package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The permissions of key roles at the embedded Kafka broker. */
class KafkaKeysIT {
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "pm_card_visa",
             "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}],
             "shippingAddress": {"country": "NL"}}
            """;

    @TempDir
    private static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        hub = TestHub.start(
                folder,
                Map.of(
                        "hub.kafka.brokers",
                        "embedded",
                        "hub.kafka.port",
                        "0",
                        "hub.events.bus",
                        "kafka",
                        "hub.security.api-keys",
                        String.join(
                                ",",
                                key("eye", "viewer"),
                                key("eye.left", "viewer"),
                                key("eye.right", "viewer"),
                                key("shop", "sender"),
                                key("boss", "operator"))));
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @CsvSource({"shop, orders", "boss, orders", "shop, signals"})
    void sendersWriteOrdersAndSignals(String who, String topic) throws Exception {
        String orderId = "of-" + who + "-in-" + topic;
        try (KafkaProducer<String, String> producer = producer(who)) {
            producer.send(new ProducerRecord<>(topic, ORDER.formatted(orderId))).get();
        }
        if (topic.equals("orders")) {
            await().untilAsserted(() -> assertThat(hub.get("/orders/" + orderId, "X-API-Key", "key of boss")
                            .json()
                            .path("status")
                            .asText())
                    .isEqualTo("SHIPPED"));
        }
    }

    @ParameterizedTest
    @CsvSource({"eye, orders", "eye, signals", "eye, order-events", "shop, order-events", "shop, orders.DLT"})
    void writeToOtherTopicIsRefused(String who, String topic) {
        try (KafkaProducer<String, String> producer = producer(who)) {
            assertThatThrownBy(() ->
                            producer.send(new ProducerRecord<>(topic, "forged")).get())
                    .cause()
                    .isInstanceOf(AuthorizationException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"eye", "shop", "boss"})
    void everyKeyReadsEvents(String who) {
        assertThat(hub.post("/orders", ORDER.formatted("read-by-" + who), "X-API-Key", "key of shop")
                        .status())
                .isEqualTo(201);
        try (KafkaConsumer<String, String> consumer = consumer(who, who + "-group")) {
            consumer.subscribe(List.of("order-events"));
            await().until(() -> !consumer.poll(Duration.ofMillis(200)).isEmpty());
        }
    }

    @ParameterizedTest
    @CsvSource({"eye, orders", "shop, orders", "shop, signals", "shop, orders.DLT", "eye, __consumer_offsets"})
    void readOfOtherTopicIsRefused(String who, String topic) {
        try (KafkaConsumer<String, String> consumer = consumer(who, who + "-group")) {
            consumer.subscribe(List.of(topic));
            assertThatThrownBy(() -> poll(consumer)).isInstanceOf(TopicAuthorizationException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({"eye, hub-pubsub-inventory", "shop, hub-choreography-payment", "shop, hub-orders"})
    void consumerGroupOfHubIsRefused(String who, String group) {
        try (KafkaConsumer<String, String> consumer = consumer(who, group)) {
            consumer.subscribe(List.of("order-events"));
            assertThatThrownBy(() -> poll(consumer)).isInstanceOf(GroupAuthorizationException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "eye, shop",
        "eye, shop.reader",
        "eye, shop-reader",
        "shop, eye.reader",
        "eye, boss.reader",
        "eye, eye.left",
        "eye.left, eye.right",
        "eye.left, eye"
    })
    void nobodyTakesTheRecordsOfAnotherKey(String who, String group) throws Exception {
        try (KafkaConsumer<String, String> consumer = consumer(who, group)) {
            consumer.subscribe(List.of("order-events"));
            assertThatThrownBy(() -> poll(consumer)).isInstanceOf(GroupAuthorizationException.class);
        }
        try (Admin admin = Admin.create(settings(hub.kafkaBrokers(), who))) {
            TopicPartition first = new TopicPartition("order-events", 0);
            Stream.of(
                            admin.alterConsumerGroupOffsets(group, Map.of(first, new OffsetAndMetadata(0)))
                                    .all(),
                            admin.listConsumerGroupOffsets(group).all(),
                            admin.deleteConsumerGroupOffsets(group, Set.of(first))
                                    .all(),
                            admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions())
                                    .all(),
                            admin.describeConsumerGroups(List.of(group)).all())
                    .forEach(each ->
                            assertThatThrownBy(each::get).rootCause().isInstanceOf(GroupAuthorizationException.class));
            assertThat(admin.listGroups().all().get())
                    .extracting(GroupListing::groupId)
                    .noneMatch(name -> name.startsWith("hub-") || name.equals(group));
        }
    }

    @ParameterizedTest
    @CsvSource({"eye, eye", "eye, eye.reader", "eye.left, eye.left", "eye.left, eye.left-7", "shop, a-name-of-nobody"})
    void consumerWithOwnGroupOrWithoutGroupReads(String who, String group) {
        hub.post("/orders", ORDER.formatted("read-as-" + group), "X-API-Key", "key of shop");
        try (KafkaConsumer<String, String> consumer = consumer(who, group)) {
            consumer.subscribe(List.of("order-events"));
            assertThat(poll(consumer)).isNotEmpty();
            consumer.commitSync();
        }
    }

    @ParameterizedTest
    @CsvSource({"shop, shop.tx, true", "shop, eye.tx, false", "eye, eye.tx, false", "shop, tx, false", "boss, tx, true"
    })
    void transactionalIdBeginsWithNameOfKey(String who, String transaction, boolean allowed) {
        Map<String, Object> settings = settings(hub.kafkaBrokers(), who);
        settings.put("transactional.id", transaction);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            if (!allowed) {
                assertThatThrownBy(producer::initTransactions).isInstanceOf(AuthorizationException.class);
                return;
            }
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("orders", ORDER.formatted("by-" + transaction + "-of-" + who)));
            producer.commitTransaction();
        }
        await().untilAsserted(
                        () -> assertThat(hub.get("/orders/by-" + transaction + "-of-" + who, "X-API-Key", "key of boss")
                                        .json()
                                        .path("status")
                                        .asText())
                                .isEqualTo("SHIPPED"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"orders", "orders.DLT", "signals", "order-events"})
    void anOperatorReadsEverywhere(String topic) throws Exception {
        try (KafkaProducer<String, String> producer = producer("boss")) {
            producer.send(new ProducerRecord<>(topic, "of the operator")).get();
        }
        try (KafkaConsumer<String, String> consumer = consumer("boss", "boss-group-" + topic)) {
            consumer.subscribe(List.of(topic));
            assertThat(poll(consumer)).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"eye", "shop"})
    void administrationIsRefused(String who) {
        try (Admin admin = Admin.create(settings(hub.kafkaBrokers(), who))) {
            Stream.of(
                            admin.createTopics(List.of(new NewTopic("mine", 1, (short) 1)))
                                    .all(),
                            admin.deleteTopics(List.of("orders")).all(),
                            admin.deleteConsumerGroups(List.of("hub-orders")).all(),
                            admin.describeMetadataQuorum().quorumInfo())
                    .forEach(each -> assertThatThrownBy(each::get)
                            .isInstanceOf(ExecutionException.class)
                            .cause()
                            .isInstanceOf(AuthorizationException.class));
        }
    }

    @Test
    void anOperatorAdministers() throws Exception {
        try (Admin admin = Admin.create(settings(hub.kafkaBrokers(), "boss"))) {
            admin.createTopics(List.of(new NewTopic("made", 1, (short) 1)))
                    .all()
                    .get();
            assertThat(admin.listTopics().names().get()).contains("made", "orders", "order-events", "signals");
        }
    }

    @Test
    void kafkaRefusesUnknownLogins() {
        Map<String, Object> wrong = settings(hub.kafkaBrokers(), "shop");
        wrong.put("sasl.jaas.config", login("shop", "key of eye"));
        Map<String, Object> asHub = settings(hub.kafkaBrokers(), "shop");
        asHub.put("sasl.jaas.config", login("(hub)", "hub"));
        for (Map<String, Object> settings : List.of(wrong, asHub)) {
            try (Admin admin = Admin.create(settings)) {
                assertThatThrownBy(() -> admin.listTopics().names().get())
                        .cause()
                        .isInstanceOf(SaslAuthenticationException.class);
            }
        }
        Map<String, Object> without = new HashMap<>(Map.of(
                "bootstrap.servers", hub.kafkaBrokers(), "request.timeout.ms", 2_000, "default.api.timeout.ms", 2_000));
        try (Admin admin = Admin.create(without)) {
            assertThatThrownBy(() -> admin.listTopics().names().get()).isInstanceOf(ExecutionException.class);
        }
    }

    private static ConsumerRecords<String, String> poll(KafkaConsumer<String, String> consumer) {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        ConsumerRecords<String, String> records = ConsumerRecords.empty();
        while (records.isEmpty() && System.nanoTime() < end) {
            records = consumer.poll(Duration.ofMillis(200));
        }
        return records;
    }

    private static KafkaProducer<String, String> producer(String who) {
        return new KafkaProducer<>(settings(hub.kafkaBrokers(), who), new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(String who, String group) {
        Map<String, Object> settings = settings(hub.kafkaBrokers(), who);
        settings.put("group.id", group);
        settings.put("auto.offset.reset", "earliest");
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    /** Settings of a client that logs in with the named key. */
    static Map<String, Object> settings(String brokers, String who) {
        return new HashMap<>(Map.of(
                "bootstrap.servers",
                brokers,
                "security.protocol",
                "SASL_PLAINTEXT",
                "sasl.mechanism",
                "PLAIN",
                "sasl.jaas.config",
                login(who, "key of " + who)));
    }

    private static String login(String name, String key) {
        return "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"" + name + "\" password=\""
                + key + "\";";
    }

    private static String key(String name, String role) throws Exception {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(("key of " + name).getBytes(StandardCharsets.UTF_8));
        return name + ":" + role + ":" + HexFormat.of().formatHex(hash);
    }
}
