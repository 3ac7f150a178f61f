package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.UUID;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.ActiveMQSecurityException;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ClientSessionFactory;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The permissions of key roles at the embedded broker. */
class BrokerKeysIT {
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
                ",", key("eye", "viewer"), key("shop", "sender"), key("rival", "sender"), key("boss", "operator"));
        hub = TestHub.start(folder, Map.of("hub.security.api-keys", keys));
        try (Connection rival = connect("rival");
                Session session = rival.createSession()) {
            session.createConsumer(session.createQueue("replies.rival.1")).close();
            rival.start();
            session.createSharedDurableConsumer(session.createTopic("order-events"), "rival.books")
                    .close();
        }
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @CsvSource({
        "eye, order-events::hub-pubsub-inventory",
        "shop, order-events::hub-pubsub-inventory",
        "shop, order-events::hub-choreography-payment",
        "shop, order-events::hub-notification",
        "shop, order-queue.orders@1",
        "shop, order-queue.process-payment@1",
        "eye, orders",
        "shop, orders",
        "shop, signals",
        "shop, DLQ",
        "shop, replies.rival.1",
        "eye, replies.rival.1",
        "shop, replies.shop",
        "shop, replies",
        "eye, replies.eye.1",
        "shop, order-events::rival\\.books",
        "shop, '#'",
        "eye, '*'",
        "shop, order-queue.#",
        "shop, replies.#",
        "shop, replies.shop.#",
        "shop, '#::shop.all'",
        "shop, order-events::#",
        "shop, activemq.management",
        "shop, activemq.notifications",
        "shop, charges",
        "shop, hub-mine",
        "shop, order-events::hub-mine",
        "shop, order-events::shop.pay@1",
        "shop, order-events::books"
    })
    void nobodyTakesOrLooksAtMessagesOfOthers(String who, String queue) throws Exception {
        try (Connection connection = connect(who);
                Session session = connection.createSession()) {
            Queue other = session.createQueue(queue);
            assertThatThrownBy(() -> session.createConsumer(other)).isInstanceOf(JMSException.class);
            assertThatThrownBy(() -> session.createBrowser(other).getEnumeration())
                    .isInstanceOf(JMSException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({"eye, '#'", "shop, '*'", "shop, orders", "shop, activemq.notifications", "shop, order-events.#"})
    void subscriptionToOtherTopicIsRefused(String who, String topic) throws Exception {
        try (Connection connection = connect(who);
                Session session = connection.createSession()) {
            Topic other = session.createTopic(topic);
            assertThatThrownBy(() -> session.createConsumer(other)).isInstanceOf(JMSException.class);
            assertThatThrownBy(() -> session.createSharedDurableConsumer(other, who + ".sub"))
                    .isInstanceOf(JMSException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "shop, '#'",
        "shop, order-events",
        "shop, orders",
        "shop, DLQ",
        "shop, order-queue.orders@1",
        "shop, replies.rival.1",
        "eye, order-events",
        "eye, replies.eye.1"
    })
    void nobodyMakesQueuesForMessagesOfOthers(String who, String address) throws Exception {
        try (ServerLocator locator = ActiveMQClient.createServerLocator("tcp://127.0.0.1:" + hub.jmsPort());
                ClientSessionFactory factory = locator.createSessionFactory();
                ClientSession session = factory.createSession(who, "key of " + who, false, true, true, false, 1)) {
            for (String name : new String[] {"mine", "hub-mine", "shop.pay@1", "hub-pubsub-inventory"}) {
                for (boolean durable : new boolean[] {true, false}) {
                    QueueConfiguration queue = QueueConfiguration.of(name)
                            .setAddress(address)
                            .setRoutingType(RoutingType.MULTICAST)
                            .setDurable(durable);
                    assertThatThrownBy(() -> session.createQueue(queue)).isInstanceOf(ActiveMQException.class);
                    assertThatThrownBy(() -> session.createSharedQueue(queue)).isInstanceOf(ActiveMQException.class);
                }
            }
            assertThatThrownBy(() -> session.createAddress(SimpleString.of(address), RoutingType.MULTICAST, false))
                    .isInstanceOf(ActiveMQException.class);
        }
    }

    @Test
    void deletionOfForeignQueueIsRefused() throws Exception {
        try (ServerLocator locator = ActiveMQClient.createServerLocator("tcp://127.0.0.1:" + hub.jmsPort());
                ClientSessionFactory factory = locator.createSessionFactory();
                ClientSession session = factory.createSession("shop", "key of shop", false, true, true, false, 1)) {
            for (String queue : new String[] {"orders", "DLQ", "hub-pubsub-inventory", "replies.rival.1"}) {
                assertThatThrownBy(() -> session.deleteQueue(queue)).isInstanceOf(ActiveMQSecurityException.class);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "eye, orders",
        "eye, signals",
        "shop, order-events",
        "shop, DLQ",
        "shop, order-queue.process-payment@1",
        "shop, replies.rival.1",
        "shop, activemq.management",
        "shop, order-events::hub-pubsub-inventory",
        "shop, charges"
    })
    void nobodySendsElsewhere(String who, String queue) throws Exception {
        try (Connection connection = connect(who);
                Session session = connection.createSession()) {
            assertThatThrownBy(() -> session.createProducer(session.createQueue(queue))
                            .send(session.createTextMessage("forged")))
                    .isInstanceOf(JMSException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"eye", "shop"})
    void viewerAndSenderSubscribeUnderOwnName(String who) throws Exception {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort());
        factory.setClientID(who);
        try (Connection connection = factory.createConnection(who, "key of " + who)) {
            connection.start();
            try (Session session = connection.createSession()) {
                Topic events = session.createTopic("order-events");
                MessageConsumer passing = session.createConsumer(events);
                MessageConsumer durable = session.createDurableConsumer(events, "books");
                MessageConsumer shared = session.createSharedDurableConsumer(events, "shared");
                MessageConsumer sharedPassing = session.createSharedConsumer(events, "passing");
                post("events-" + who);
                for (MessageConsumer each : new MessageConsumer[] {passing, durable, shared, sharedPassing}) {
                    assertThat(each.receive(60_000)).isNotNull();
                    each.close();
                }
                session.unsubscribe("books");
                session.unsubscribe("shared");
            }
        }
    }

    @Test
    void senderConsumesRepliesFromQueueOfOwnName() throws Exception {
        try (Connection connection = connect("shop");
                Session session = connection.createSession()) {
            connection.start();
            Queue replies = session.createQueue("replies.shop.till-1");
            MessageConsumer answers = session.createConsumer(replies);
            order(session, "to-own-queue", replies);
            assertThat(((TextMessage) answers.receive(60_000)).getText()).contains("\"SHIPPED\"");
            session.createProducer(session.createQueue("signals")).send(session.createTextMessage("{}"));
        }
    }

    @Test
    void replyIsNotSentToQueueSenderMayNotConsume() throws Exception {
        try (Connection own = connect("shop");
                Session session = own.createSession();
                Connection boss = connect("boss");
                Session bosses = boss.createSession()) {
            own.start();
            boss.start();
            TemporaryQueue foreign = bosses.createTemporaryQueue();
            MessageConsumer forBoss = bosses.createConsumer(foreign);
            MessageConsumer forRival = bosses.createConsumer(bosses.createQueue("replies.rival.1"));
            order(session, "to-rival", session.createQueue("replies.rival.1"));
            order(session, "to-boss", foreign);
            // Sent after the other messages: a reply to this message means that the others were handled.
            TemporaryQueue replies = session.createTemporaryQueue();
            order(session, "to-self", replies);
            assertThat(session.createConsumer(replies).receive(60_000)).isNotNull();
            assertThat(hub.get("/orders/to-rival", "X-API-Key", "key of boss")
                            .json()
                            .path("status")
                            .asText())
                    .isEqualTo("SHIPPED");
            assertThat(forRival.receive(500)).isNull();
            assertThat(forBoss.receive(500)).isNull();
        }
    }

    @Test
    void temporaryQueueIsUsableOnlyByOwnConnection() throws Exception {
        try (Connection one = connect("shop");
                Session owner = one.createSession();
                Connection other = connect("shop");
                Session thief = other.createSession();
                Connection rival = connect("rival");
                Session stranger = rival.createSession()) {
            String queue = owner.createTemporaryQueue().getQueueName();
            assertThatThrownBy(() -> thief.createConsumer(thief.createQueue(queue)))
                    .isInstanceOf(JMSException.class);
            assertThatThrownBy(() -> stranger.createConsumer(stranger.createQueue(queue)))
                    .isInstanceOf(JMSException.class);
        }
    }

    /** A client id is unique, so a rival with the client id would keep the owner from connecting. */
    @Test
    void clientIdOfAnotherKeyIsRefused() {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort());
        factory.setClientID("shop");
        assertThatThrownBy(
                        () -> factory.createConnection("rival", "key of rival").createSession())
                .isInstanceOf(JMSException.class);
    }

    @Test
    void operatorHasAllBrokerPermissions() throws Exception {
        try (Connection connection = connect("boss");
                Session session = connection.createSession()) {
            connection.start();
            Queue queue = session.createQueue("queue-" + UUID.randomUUID());
            session.createProducer(queue).send(session.createTextMessage("hello"));
            assertThat(session.createConsumer(queue).receive(60_000)).isNotNull();
            assertThat(session.createBrowser(session.createQueue("order-events::hub-pubsub-inventory"))
                            .getEnumeration())
                    .isNotNull();
        }
    }

    /** Artemis brokers have a default login for clusters, the same in every installation. */
    @Test
    void clusterLoginIsRefused() {
        assertThatThrownBy(() -> connect("ACTIVEMQ.CLUSTER.ADMIN.USER", "CHANGE ME!!"))
                .isInstanceOf(JMSSecurityException.class);
    }

    private static void post(String orderId) {
        assertThat(hub.post("/orders", ORDER.formatted(orderId), "X-API-Key", "key of shop")
                        .status())
                .isEqualTo(201);
    }

    private static void order(Session session, String orderId, Queue replyTo) throws JMSException {
        Message order = session.createTextMessage(ORDER.formatted(orderId));
        order.setJMSReplyTo(replyTo);
        session.createProducer(session.createQueue("orders")).send(order);
    }

    private static Connection connect(String who) throws JMSException {
        return connect(who, "key of " + who);
    }

    private static Connection connect(String user, String password) throws JMSException {
        Connection connection =
                new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort()).createConnection(user, password);
        try {
            connection.createSession().close();
            return connection;
        } catch (JMSException e) {
            connection.close();
            throw e;
        }
    }

    private static String key(String name, String role) throws NoSuchAlgorithmException {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(("key of " + name).getBytes(StandardCharsets.UTF_8));
        return name + ":" + role + ":" + HexFormat.of().formatHex(hash);
    }
}
