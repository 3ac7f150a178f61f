package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.Session;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.activemq.artemis.jms.client.ActiveMQDestination;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The permissions of keys at the embedded broker of a hub with a custom name. */
class NamedHubKeysIT {
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
        String keys = String.join(
                ",",
                key("eye", "viewer"),
                key("east-pubsub", "sender"),
                key("shop", "sender"),
                key("boss", "operator"));
        hub = TestHub.start(folder, Map.of("hub.name", "east", "hub.security.api-keys", keys));
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @CsvSource({
        "eye, order-events::east-pubsub-inventory",
        "shop, order-events::east-choreography-payment",
        "east-pubsub, order-events::east-pubsub-inventory",
        "east-pubsub, order-events::east-pubsub.more",
        "eye, east-order-queue.orders@1",
        "shop, east-order-queue.process-payment@1",
        "east-pubsub, east-presence",
        "shop, orders::hub-orders",
        "shop, DLQ"
    })
    void nobodyTakesMessagesOfTheHub(String who, String queue) throws Exception {
        try (Connection connection = connect(who);
                Session session = connection.createSession()) {
            assertThatThrownBy(() -> session.createConsumer(session.createQueue(queue)))
                    .isInstanceOf(JMSException.class);
            assertThatThrownBy(() ->
                            session.createBrowser(session.createQueue(queue)).getEnumeration())
                    .isInstanceOf(JMSException.class);
        }
    }

    /** A queue name is unique, so a client that creates the queue first would block the hub. */
    @ParameterizedTest
    @ValueSource(strings = {"east-pubsub.more", "east-mine", "hub-mine"})
    void creationOfReservedQueueNameIsRefused(String queue) throws Exception {
        for (String who : new String[] {"eye", "shop", "east-pubsub"}) {
            try (Connection connection = connect(who);
                    Session session = connection.createSession()) {
                ClientSession core = ((ActiveMQSession) session).getCoreSession();
                for (boolean durable : new boolean[] {true, false}) {
                    assertThatThrownBy(() -> core.createQueue(QueueConfiguration.of(queue)
                                    .setAddress("order-events")
                                    .setRoutingType(RoutingType.MULTICAST)
                                    .setDurable(durable)))
                            .hasMessageContaining("AMQ229213");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"topic://east-presence", "queue://east-order-queue.orders@1", "topic://x::east-pubsub-payment"})
    void noReplyGoesToAddressOfTheHub(String replyTo) throws Exception {
        String orderId = "order-" + Math.abs(replyTo.hashCode());
        try (Connection connection = connect("boss");
                Session session = connection.createSession()) {
            Message order = session.createTextMessage(ORDER.formatted(orderId));
            order.setJMSReplyTo(ActiveMQDestination.fromPrefixedName(replyTo));
            try (CapturedLog log = CapturedLog.open()) {
                session.createProducer(session.createQueue("orders")).send(order);
                await().untilAsserted(() ->
                        assertThat(log.with("an answer is not sent")).isNotEmpty());
            }
        }
    }

    @Test
    void ordersEndWithApiKeys() throws Exception {
        try (Connection connection = connect("shop");
                Session session = connection.createSession()) {
            connection.start();
            Message order = session.createTextMessage(ORDER.formatted("good"));
            order.setJMSReplyTo(session.createQueue("replies.shop.1"));
            session.createProducer(session.createQueue("orders")).send(order);
            assertThat(session.createConsumer(session.createQueue("replies.shop.1"))
                            .receive(60_000)
                            .getBody(String.class))
                    .contains("SHIPPED");
        }
    }

    private static Connection connect(String who) throws JMSException {
        return new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort()).createConnection(who, "key of " + who);
    }

    private static String key(String name, String role) throws NoSuchAlgorithmException {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(("key of " + name).getBytes(StandardCharsets.UTF_8));
        return name + ":" + role + ":" + HexFormat.of().formatHex(hash);
    }
}
