package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientProducer;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ClientSessionFactory;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.apache.activemq.artemis.utils.UUIDGenerator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages that clients of other protocols and of Artemis' core API can send, and JMS clients cannot. */
class OddMessagesIT {
    private static final String ORDER = """
            {%s"customerId": "%s", "currency": "EUR", "paymentMethod": "pm_card_visa",
             "items": [{"sku": "%s", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}
            """;
    private static final byte UNKNOWN_TYPE = 99;

    @TempDir
    static Path folder;

    private static TestHub hub;
    private static ServerLocator locator;
    private static ClientSessionFactory sessions;
    private static ClientSession session;

    @BeforeAll
    static void start() throws Exception {
        hub = TestHub.start(folder, Map.of());
        hub.put("/stock/orderId", "{\"onHand\": 1000}");
        locator = ActiveMQClient.createServerLocator("tcp://127.0.0.1:" + hub.jmsPort());
        sessions = locator.createSessionFactory();
        session = sessions.createSession();
        session.start();
    }

    @AfterAll
    static void stop() {
        locator.close();
        hub.close();
    }

    private static Stream<Arguments> oddProperties() {
        return Stream.of(
                        property("a reply-to that is a number", message -> message.putIntProperty("JMSReplyTo", 42)),
                        property(
                                "bytes as reply-to", message -> message.putBytesProperty("JMSReplyTo", new byte[] {1})),
                        property("an empty reply-to", message -> message.putStringProperty("JMSReplyTo", "")),
                        property(
                                "a wildcard as reply-to",
                                message -> message.putStringProperty("JMSReplyTo", "queue://#")),
                        property("a queue of no address", replyTo("queue://::b")),
                        property("an address with no queue", replyTo("a::")),
                        property("neither address nor queue", replyTo("queue://::")),
                        property("a queue of a queue", replyTo("topic://a::b::c")),
                        property("three colons", replyTo("a:::b")),
                        property("a prefix alone", replyTo("temp-queue://")),
                        property(
                                "a reply-to of endless length",
                                message -> message.putStringProperty("JMSReplyTo", "queue://" + "r".repeat(20_000))),
                        property(
                                "a key of many quoted characters",
                                message -> message.putStringProperty(
                                        "idempotencyKey", "\"" + "k\\\"".repeat(10_000) + "\"")),
                        property(
                                "a style of endless length",
                                message -> message.putStringProperty("style", "x".repeat(30_000))),
                        property("bytes as style", message -> message.putBytesProperty("style", new byte[] {-1, 0})))
                .map(Arguments::of);
    }

    private static Consumer<ClientMessage> replyTo(String address) {
        return message -> message.putStringProperty("JMSReplyTo", address);
    }

    private static Object[] property(String name, Consumer<ClientMessage> put) {
        return new Object[] {name, put};
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("oddProperties")
    void anOrderWithAnOddPropertyIsADeadLetterAndTheNextIsTaken(String name, Consumer<ClientMessage> put)
            throws Exception {
        String customer = customer();
        ClientMessage odd = text(Message.TEXT_TYPE, order(customer));
        put.accept(odd);
        send("orders", RoutingType.ANYCAST, odd);

        assertAnOrderIsTaken();
        await().untilAsserted(() -> assertThat(letters(customer)).hasSize(1));
        assertThat(orders(customer)).isEmpty();
        if (name.contains("queue") || name.contains("colons") || name.contains("prefix")) {
            assertThat(letters(customer).get(0).path("reason").asText()).isEqualTo("invalid-reply-to");
        }
    }

    /** A message without a routing type goes to all consumers of an address. */
    @Test
    void multicastMessageIsOneOrderAndOneReply() throws Exception {
        String address = "replies-" + UUID.randomUUID();
        String customer = customer();
        for (int i = 0; i < 10; i++) {
            for (String body : List.of(order(customer), "garbage")) {
                ClientMessage order = text(Message.TEXT_TYPE, body);
                order.putStringProperty("JMSReplyTo", "queue://" + address);
                order.putStringProperty("JMSCorrelationID", body.substring(0, 1) + i);
                try (ClientProducer producer = session.createProducer("orders")) {
                    producer.send(order);
                }
            }
        }
        await().untilAsserted(() -> assertThat(orders(customer)).hasSize(10));
        await().until(() -> session.queueQuery(SimpleString.of(address)).getMessageCount() >= 20);
        ClientMessage last = text(Message.TEXT_TYPE, order(customer));
        last.putStringProperty("JMSReplyTo", "queue://" + address);
        last.putStringProperty("JMSCorrelationID", "last");
        send("orders", RoutingType.ANYCAST, last);

        List<String> replies = new ArrayList<>();
        try (var consumer = session.createConsumer(address)) {
            while (!replies.contains("last")) {
                ClientMessage reply = consumer.receive(60_000);
                replies.add(reply.getStringProperty("JMSCorrelationID"));
                reply.acknowledge();
            }
        }
        assertThat(replies).hasSize(21).doesNotHaveDuplicates();
        assertThat(orders(customer)).hasSize(11);
    }

    @Test
    void aReplyToWithoutAPrefixIsAnAddress() throws Exception {
        String customer = customer();
        String address = "replies-" + UUID.randomUUID();
        ClientMessage order = text(Message.TEXT_TYPE, order(customer));
        order.putStringProperty("JMSReplyTo", address);
        order.putStringProperty("JMSCorrelationID", "mine");
        send("orders", RoutingType.ANYCAST, order);

        await().untilAsserted(() -> assertThat(orders(customer)).hasSize(1));
        await().until(() -> session.queueQuery(SimpleString.of(address)).isExists());
        try (var consumer = session.createConsumer(address)) {
            ClientMessage reply = consumer.receive(60_000);
            assertThat(reply.getStringProperty("JMSCorrelationID")).isEqualTo("mine");
            reply.acknowledge();
        }
    }

    @Test
    void aCorrelationIdOfBytesComesBackAsBytes() throws Exception {
        byte[] id = {0, 1, -1, 127};
        String address = "replies-" + UUID.randomUUID();
        for (String body : List.of(order(customer()), "garbage")) {
            ClientMessage order = text(Message.TEXT_TYPE, body);
            order.putStringProperty("JMSReplyTo", "queue://" + address);
            order.putBytesProperty("JMSCorrelationID", id);
            send("orders", RoutingType.ANYCAST, order);
        }

        await().until(() -> session.queueQuery(SimpleString.of(address)).isExists());
        try (var consumer = session.createConsumer(address)) {
            for (int i = 0; i < 2; i++) {
                ClientMessage reply = consumer.receive(60_000);
                assertThat(reply.getBytesProperty("JMSCorrelationID")).isEqualTo(id);
                reply.acknowledge();
            }
        }
    }

    @Test
    void messageOfUnknownTypeBecomesDeadLetterOnEachQueue() throws Exception {
        String customer = customer();
        for (String address : List.of("orders", "DLQ")) {
            send(address, RoutingType.ANYCAST, bytes(UNKNOWN_TYPE, order(customer)));
        }
        send("order-events", RoutingType.MULTICAST, bytes(UNKNOWN_TYPE, order(customer)));

        assertAnOrderIsTaken();
        await().untilAsserted(() -> assertThat(letters(customer))
                .extracting(letter -> letter.path("source").asText())
                .contains("orders", "DLQ", "order-events"));
    }

    @Test
    void reservedPropertiesDoNotStopTheReceiver() throws Exception {
        String customer = customer();
        List<Consumer<ClientMessage>> marks = List.of(
                message -> message.putStringProperty("_hornetq.forced.delivery.seq", "x"),
                message -> message.putLongProperty("_hornetq.forced.delivery.seq", 0),
                message -> message.putStringProperty("_AMQ_LARGE_COMPRESSED", "maybe"),
                message -> message.putBooleanProperty("_AMQ_LARGE_COMPRESSED", true),
                message -> message.putStringProperty("_AMQ_LARGE_SIZE", "large"));
        for (Consumer<ClientMessage> mark : marks) {
            ClientMessage garbage = text(Message.TEXT_TYPE, "garbage " + customer);
            mark.accept(garbage);
            send("orders", RoutingType.ANYCAST, garbage);
            ClientMessage event = text(Message.TEXT_TYPE, "garbage " + customer);
            mark.accept(event);
            send("order-events", RoutingType.MULTICAST, event);
            ClientMessage letter = text(Message.TEXT_TYPE, "garbage " + customer);
            mark.accept(letter);
            send("DLQ", RoutingType.ANYCAST, letter);
        }

        assertAnOrderIsTaken();
        await().untilAsserted(() -> {
            for (String source : List.of("orders", "DLQ", "order-events")) {
                assertThat(letters(customer))
                        .filteredOn(letter -> letter.path("source").asText().equals(source))
                        .hasSize(marks.size());
            }
        });
    }

    @Test
    void headersWithoutJmsNameAreKept() throws Exception {
        String customer = customer();
        ClientMessage garbage = text(Message.TEXT_TYPE, "garbage " + customer);
        garbage.putStringProperty("content-kind", "of STOMP");
        garbage.putStringProperty("JMS_AMQP_MA_x-opt", "of AMQP");
        garbage.putBytesProperty("bytes", new byte[] {-1, -2});
        garbage.putStringProperty("zero", "a\0b");
        garbage.putStringProperty("half", "a\ud83d");
        send("orders", RoutingType.ANYCAST, garbage);

        JsonNode letter = await().until(() -> letters(customer), found -> !found.isEmpty())
                .get(0);
        assertThat(letter.path("headers").path("content-kind").asText()).isEqualTo("of STOMP");
        try (var browser = session.createConsumer("DLQ", "\"content-kind\" = 'of STOMP'", true)) {
            assertThat(browser.receive(60_000).getStringProperty("deadLetterId"))
                    .isEqualTo(letter.path("id").asText());
        }
    }

    @Test
    void deadLetterBesideLargeOnesIsListedAlone() throws Exception {
        String customer = customer();
        for (int i = 0; i < 20; i++) {
            ClientMessage letter = text(Message.TEXT_TYPE, "lost " + customer + " " + i + " ".repeat(i % 2 * 300_000));
            send("DLQ", RoutingType.ANYCAST, letter);
        }

        await().untilAsserted(() -> assertThat(letters(customer)).hasSize(20));
    }

    @Test
    void forgedPropertyDoesNotImpersonateDeadLetter() throws Exception {
        String customer = customer();
        for (int i = 0; i < 3; i++) {
            ClientMessage letter = text(Message.TEXT_TYPE, "lost " + customer + i);
            letter.putStringProperty("deadLetterOrigin", "made up " + customer);
            send("DLQ", RoutingType.ANYCAST, letter);
        }

        await().untilAsserted(() -> assertThat(letters(customer)).hasSize(3));
    }

    /** A redelivery, as after a crash before the acknowledgement. */
    @Test
    void redeliveredMessageIsOneOrderAlsoWhenTextResemblesOrderId() throws Exception {
        String customer = customer();
        var id = UUIDGenerator.getInstance().generateUUID();
        for (int i = 0; i < 2; i++) {
            ClientMessage order = text(Message.TEXT_TYPE, ORDER.formatted("", customer, "orderId"));
            order.setUserID(id);
            send("orders", RoutingType.ANYCAST, order);
        }

        assertAnOrderIsTaken();
        assertThat(orders(customer)).hasSize(1);
    }

    /**
     * For a message over AMQP the broker creates a new id at each delivery, and keeps the id of the sender in a
     * property.
     */
    @ParameterizedTest
    @ValueSource(strings = {"NATIVE_MESSAGE_ID", "__HDR_MESSAGE_ID"})
    void messageIsIdentifiedAndAnsweredByIdOfSender(String property) throws Exception {
        String customer = customer();
        String id = "ID:AMQP_ULONG:" + UUID.randomUUID();
        String address = "replies-" + UUID.randomUUID();
        for (int i = 0; i < 2; i++) {
            ClientMessage order = text(Message.TEXT_TYPE, order(customer));
            order.setUserID(UUIDGenerator.getInstance().generateUUID());
            order.putStringProperty(property, id);
            order.putStringProperty("JMSReplyTo", "queue://" + address);
            send("orders", RoutingType.ANYCAST, order);
        }

        assertAnOrderIsTaken();
        assertThat(orders(customer)).hasSize(1);
        await().until(() -> session.queueQuery(SimpleString.of(address)).isExists());
        try (var consumer = session.createConsumer(address)) {
            ClientMessage reply = consumer.receive(60_000);
            assertThat(reply.getStringProperty("JMSCorrelationID")).isEqualTo(id);
            reply.acknowledge();
        }
    }

    /** AMQP senders choose message ids, and brokers that have lost the journal restart the counter. */
    @Test
    void differentMessageWithSameIdIsAnotherOrder() throws Exception {
        String customer = customer();
        var id = UUIDGenerator.getInstance().generateUUID();
        for (String sku : List.of("orderId", "SADDLE-01", "orderId", "SADDLE-01")) {
            ClientMessage order = text(Message.TEXT_TYPE, ORDER.formatted("", customer, sku));
            order.setUserID(id);
            send("orders", RoutingType.ANYCAST, order);
        }

        assertAnOrderIsTaken();
        assertThat(orders(customer)).hasSize(2);
    }

    /** For clients of MQTT, which has no queues, and JMS clients that use the address as a topic. */
    @Test
    void publishedOrderIsAcceptedOnceLikeSentOrder() throws Exception {
        String customer = customer();
        send("orders", RoutingType.MULTICAST, bytes(Message.BYTES_TYPE, order(customer)));
        // To the queue and to the subscription of the address.
        String both = customer();
        ClientMessage toBoth = text(Message.TEXT_TYPE, order(both));
        try (ClientProducer producer = session.createProducer("orders")) {
            producer.send(toBoth);
        }

        await().untilAsserted(() -> {
            assertThat(orders(customer)).hasSize(1);
            assertThat(orders(both)).hasSize(1);
        });
        assertAnOrderIsTaken();
        assertThat(orders(both)).hasSize(1);
    }

    private static String customer() {
        return "C-" + UUID.randomUUID();
    }

    private static String order(String customer) {
        return ORDER.formatted("", customer, "SADDLE-01");
    }

    /** A body in the encoding of JMS clients. */
    private static ClientMessage text(byte type, String text) {
        ClientMessage message = session.createMessage(type, true);
        message.getBodyBuffer().writeNullableSimpleString(SimpleString.of(text));
        return message;
    }

    private static ClientMessage bytes(byte type, String text) {
        ClientMessage message = session.createMessage(type, true);
        message.getBodyBuffer().writeBytes(text.getBytes(StandardCharsets.UTF_8));
        return message;
    }

    private static void send(String address, RoutingType routing, ClientMessage message) throws Exception {
        message.setRoutingType(routing);
        try (ClientProducer producer = session.createProducer(address)) {
            producer.send(message);
        }
    }

    private static void assertAnOrderIsTaken() throws Exception {
        long before = hub.get("/analytics").json().path("orders").asLong();
        String orderId = "order-" + UUID.randomUUID();
        send(
                "orders",
                RoutingType.ANYCAST,
                text(Message.TEXT_TYPE, ORDER.formatted("\"orderId\": \"" + orderId + "\", ", "C-1", "SADDLE-01")));
        await().untilAsserted(() -> {
            assertThat(hub.get("/orders/" + orderId).json().path("status").asText())
                    .isEqualTo("SHIPPED");
            assertThat(hub.get("/analytics").json().path("orders").asLong()).isGreaterThan(before);
            assertThat(hub.get("/observe/health/ready").status()).isEqualTo(200);
        });
    }

    private static List<JsonNode> orders(String customer) {
        return items("/orders?customerId=" + customer);
    }

    private static List<JsonNode> letters(String customer) {
        return items("/dead-letters?limit=200").stream()
                .filter(letter -> letter.path("body").asText().contains(customer))
                .toList();
    }

    private static List<JsonNode> items(String path) {
        return StreamSupport.stream(hub.get(path).json().path("items").spliterator(), false)
                .toList();
    }
}
