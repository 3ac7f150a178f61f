package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientProducer;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Message fields set by senders, with values that Artemis does not expect. */
class SenderFieldsIT {
    private static final String ORDER = """
            {"customerId": "%s", "currency": "EUR", "paymentMethod": "pm_card_visa",
             "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}
            """;
    private static final List<Object> ODD_VALUES = List.of(
            (byte) 77,
            (byte) -1,
            (short) 5,
            -5,
            0L,
            -5L,
            Long.MAX_VALUE,
            Long.MIN_VALUE,
            1.5f,
            Double.NaN,
            true,
            'c',
            "",
            "x",
            "9".repeat(30),
            new byte[0],
            new byte[] {1, 2, 3},
            new byte[8],
            new byte[16]);

    @TempDir
    static Path folder;

    private static TestHub hub;
    private static ServerLocator locator;
    private static ClientSession session;

    @BeforeAll
    static void start() throws Exception {
        hub = TestHub.start(folder, Map.of());
        hub.put("/stock/SADDLE-01", "{\"onHand\": 100000}");
        locator = ActiveMQClient.createServerLocator("tcp://127.0.0.1:" + hub.jmsPort());
        session = locator.createSessionFactory().createSession();
        session.start();
    }

    @AfterAll
    static void stop() {
        locator.close();
        hub.close();
    }

    @ParameterizedTest
    @ValueSource(bytes = {10, 77, 127, -1, -128})
    void noPriorityStopsAQueue(byte priority) throws Exception {
        String customer = customer();
        for (String address : List.of("orders", "order-events", "DLQ")) {
            // Many messages, so that some wait in the queue and others go directly to a consumer.
            for (int i = 0; i < 20; i++) {
                ClientMessage message = text(address.equals("orders") ? ORDER.formatted(customer) : "lost " + customer);
                message.setPriority(priority);
                send(address, message);
            }
        }

        await().untilAsserted(() -> {
            assertThat(orders(customer)).hasSize(20);
            assertThat(letters(customer)).extracting(SenderFieldsIT::source).contains("order-events", "DLQ");
        });
        assertAnOrderIsTaken();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "_AMQ_ROUTE_TO",
                "_AMQ_ROUTE_TOorders",
                "_AMQ_SCALEDOWN_TO",
                "_AMQ_ACK_ROUTE_TO",
                "_AMQ_BRIDGE_DUP",
                "_AMQ_ACTUAL_EXPIRY",
                "_AMQ_ORIG_ADDRESS",
                "_AMQ_ORIG_QUEUE",
                "_AMQ_ORIG_MESSAGE_ID",
                "_AMQ_ORIG_ROUTING_TYPE",
                "_AMQ_GROUP_ID",
                "_AMQ_GROUP_SEQUENCE",
                "_AMQ_LARGE_COMPRESSED",
                "_AMQ_LARGE_SIZE",
                "_AMQ_SCHED_DELIVERY",
                "_AMQ_LVQ_NAME",
                "_AMQ_CONTENT_TYPE",
                "_AMQ_VALIDATED_USER",
                "_AMQ_ROUTING_TYPE",
                "_AMQ_INGRESS_TIMESTAMP",
                "_AMQ_PREFIX",
                "_AMQ_RESET_QUEUE_DATA",
                "_hornetq.forced.delivery.seq",
                "JMSCorrelationID",
                "JMSType",
                "JMSXGroupID",
                "JMSXGroupSeq",
                "JMSXDeliveryCount",
                "JMSDeliveryMode",
                "JMSMessageID",
                "JMSTimestamp",
                "JMSExpiration",
                "JMSPriority",
                "__AMQ_CID",
                "a\0b",
                ""
            })
    void anOrderWithAnOddPropertyIsAnOrder(String property) throws Exception {
        List<String> customers = new ArrayList<>();
        for (Object value : ODD_VALUES) {
            customers.add(customer());
            ClientMessage order = text(ORDER.formatted(customers.get(customers.size() - 1)));
            order.putObjectProperty(SimpleString.of(property), value);
            send("orders", order);
        }

        await().untilAsserted(() -> assertThat(customers)
                .allSatisfy(customer -> assertThat(orders(customer)).hasSize(1)));
    }

    /** A repeated value would be a duplicate, which the broker drops at the request of the sender. */
    @Test
    void emptyDuplicateIdIsIgnored() throws Exception {
        String customer = customer();
        for (Object id : new Object[] {"", "", new byte[0], new byte[0], 5, 5}) {
            ClientMessage order = text(ORDER.formatted(customer));
            order.putObjectProperty(Message.HDR_DUPLICATE_DETECTION_ID, id);
            send("orders", order);
        }

        await().untilAsserted(() -> assertThat(orders(customer)).hasSize(6));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 1, Long.MIN_VALUE, Long.MAX_VALUE})
    void messageWithAnyTimestampIsOrderOrDeadLetter(long millis) throws Exception {
        String customer = customer();
        ClientMessage sent = text(ORDER.formatted(customer));
        sent.setTimestamp(millis);
        send("orders", sent);
        ClientMessage expiring = text(ORDER.formatted(customer));
        expiring.setExpiration(millis);
        send("orders", expiring);

        await().untilAsserted(() ->
                assertThat(orders(customer).size() + letters(customer).size()).isEqualTo(2));
    }

    @Test
    void manyOrLargeHeadersAreAcceptedOrRefused() throws Exception {
        String customer = customer();
        ClientMessage many = text(ORDER.formatted(customer));
        for (int i = 0; i < 10_000; i++) {
            many.putIntProperty("p" + i, i);
        }
        send("orders", many);
        ClientMessage large = text(ORDER.formatted(customer));
        large.putStringProperty("n".repeat(60_000), "x".repeat(60_000));
        send("orders", large);
        ClientMessage tooLarge = text(ORDER.formatted(customer));
        tooLarge.putStringProperty("h", "x".repeat(3_000_000));
        assertThatThrownBy(() -> send("orders", tooLarge)).hasMessageContaining("AMQ149005");

        await().untilAsserted(() -> assertThat(orders(customer)).hasSize(2));
        assertAnOrderIsTaken();
    }

    private static String customer() {
        return "C-" + UUID.randomUUID();
    }

    private static ClientMessage text(String text) {
        ClientMessage message = session.createMessage(Message.TEXT_TYPE, true);
        message.getBodyBuffer().writeNullableSimpleString(SimpleString.of(text));
        return message;
    }

    private static void send(String address, ClientMessage message) throws Exception {
        if (!message.containsProperty(Message.HDR_ROUTING_TYPE)) {
            message.setRoutingType(address.equals("order-events") ? RoutingType.MULTICAST : RoutingType.ANYCAST);
        }
        try (ClientProducer producer = session.createProducer(address)) {
            producer.send(message);
        }
    }

    private static void assertAnOrderIsTaken() throws Exception {
        String customer = customer();
        send("orders", text(ORDER.formatted(customer)));
        await().untilAsserted(() -> {
            assertThat(orders(customer))
                    .extracting(order -> order.path("status").asText())
                    .containsExactly("SHIPPED");
            assertThat(hub.get("/observe/health/ready").status()).isEqualTo(200);
        });
    }

    private static String source(JsonNode letter) {
        return letter.path("source").asText();
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
