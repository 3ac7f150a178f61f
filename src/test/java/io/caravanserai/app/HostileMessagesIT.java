package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientProducer;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.activemq.artemis.jms.client.ActiveMQDestination;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages from hostile senders. */
class HostileMessagesIT {
    private static final String ORDER = """
            {%s "customerId": "%s", "currency": "EUR", "paymentMethod": "pm_card_visa",
             "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}
            """;

    @TempDir
    static Path folder;

    private static TestHub hub;
    private Connection connection;
    private Session session;

    @BeforeAll
    static void start() throws Exception {
        hub = TestHub.start(folder, Map.of());
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @BeforeEach
    void connect() throws Exception {
        connection = new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort()).createConnection();
        session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
        connection.start();
    }

    @AfterEach
    void disconnect() throws Exception {
        connection.close();
    }

    @Test
    void messagesWithoutIdAreDistinguished() throws Exception {
        String customer = "C-" + UUID.randomUUID();
        MessageProducer orders = session.createProducer(session.createQueue("orders"));
        orders.setDisableMessageID(true);
        for (int i = 0; i < 3; i++) {
            orders.send(session.createTextMessage(ORDER.formatted("", customer)));
            orders.send(session.createTextMessage("garbage " + customer + i));
        }

        await().untilAsserted(() -> {
            assertThat(hub.get("/orders?status=SHIPPED&customerId=" + customer)
                            .json()
                            .path("items"))
                    .hasSize(3);
            assertThat(letters("orders"))
                    .filteredOn(letter -> letter.path("body").asText().contains(customer))
                    .hasSize(3);
        });
    }

    @Test
    void unreadableBodyDoesNotBlockNextMessage() throws Exception {
        ClientSession core = ((ActiveMQSession) session).getCoreSession();
        for (Map.Entry<String, RoutingType> to : Map.of(
                        "orders", RoutingType.ANYCAST, "order-events", RoutingType.MULTICAST)
                .entrySet()) {
            for (byte type :
                    new byte[] {Message.TEXT_TYPE, Message.OBJECT_TYPE, Message.MAP_TYPE, Message.STREAM_TYPE}) {
                ClientMessage broken = core.createMessage(type, true);
                broken.getBodyBuffer().writeBytes(new byte[] {1, 127, 127, 127, 127, 1, 2});
                broken.setRoutingType(to.getValue());
                try (ClientProducer producer = core.createProducer(to.getKey())) {
                    producer.send(broken);
                }
            }
        }

        assertAnOrderIsTakenAndCounted();
    }

    @Test
    void aBodyFarTooLargeIsNotRead() throws Exception {
        MessageProducer orders = session.createProducer(session.createQueue("orders"));
        TextMessage large = session.createTextMessage("x".repeat(10_000_000));
        large.setStringProperty("mine", "too large");
        orders.send(large);

        assertAnOrderIsTakenAndCounted();
        JsonNode letter = await().until(
                        () -> letters("orders").stream()
                                .filter(each -> each.path("headers")
                                        .path("mine")
                                        .asText()
                                        .equals("too large"))
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
        assertThat(letter.path("reason").asText()).isEqualTo("too-large");
        assertThat(letter.path("body").isNull()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "queue://orders",
                "topic://order-events",
                "queue://DLQ",
                "queue://order-queue.reserve-items@1",
                "queue://order-events::hub-analytics",
                "queue://activemq.management"
            })
    void anAnswerIsNotSentToWhereTheHubItselfListens(String replyTo) throws Exception {
        String orderId = "order-" + UUID.randomUUID();
        MessageProducer orders = session.createProducer(session.createQueue("orders"));
        TextMessage order = session.createTextMessage(ORDER.formatted("\"orderId\": \"" + orderId + "\",", "C-1"));
        order.setJMSReplyTo(ActiveMQDestination.fromPrefixedName(replyTo));
        orders.send(order);
        TextMessage garbage = session.createTextMessage("garbage " + orderId);
        garbage.setJMSReplyTo(ActiveMQDestination.fromPrefixedName(replyTo));
        orders.send(garbage);
        await().untilAsserted(() -> {
            assertThat(hub.get("/orders/" + orderId).json().path("status").asText())
                    .isEqualTo("SHIPPED");
            assertThat(letters("orders"))
                    .filteredOn(letter -> letter.path("body").asText().contains(orderId))
                    .hasSize(1);
        });

        // Earlier messages are done when this order is done.
        assertAnOrderIsTakenAndCounted();
        assertThat(letters(""))
                .filteredOn(letter -> letter.path("headers").has("contentType"))
                .isEmpty();
    }

    private void assertAnOrderIsTakenAndCounted() throws JMSException {
        long before = hub.get("/analytics").json().path("orders").asLong();
        String orderId = "order-" + UUID.randomUUID();
        MessageProducer orders = session.createProducer(session.createQueue("orders"));
        orders.send(session.createTextMessage(ORDER.formatted("\"orderId\": \"" + orderId + "\",", "C-1")));
        await().untilAsserted(() -> {
            assertThat(hub.get("/orders/" + orderId).json().path("status").asText())
                    .isEqualTo("SHIPPED");
            assertThat(hub.get("/analytics").json().path("orders").asLong()).isGreaterThan(before);
            assertThat(hub.get("/observe/health/ready").status()).isEqualTo(200);
        });
    }

    private static List<JsonNode> letters(String source) {
        return StreamSupport.stream(
                        hub.get("/dead-letters?limit=200&source=" + source)
                                .json()
                                .path("items")
                                .spliterator(),
                        false)
                .toList();
    }
}
