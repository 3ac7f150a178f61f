package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientProducer;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ClientSessionFactory;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.postoffice.RoutingStatus;
import org.apache.activemq.artemis.core.server.ServerSession;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.server.plugin.ActiveMQServerPlugin;
import org.apache.activemq.artemis.core.transaction.Transaction;
import org.apache.activemq.artemis.utils.UUIDGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An external broker that gives up orders which the hub has taken: the connection broke before each acknowledgement.
 */
class GivenUpOrdersIT {
    private static final String URL = "vm://90214";
    private static final long TIMEOUT_MILLIS = 60_000;
    private static final String ORDER = """
            {"customerId": "%s", "currency": "EUR", "paymentMethod": "pm_card_visa",
             "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}
            """;

    @TempDir
    private Path folder;

    private final EmbeddedActiveMQ broker = new EmbeddedActiveMQ();
    private final AtomicLong lastNumber = new AtomicLong();
    private final String customer = "C-" + UUID.randomUUID();
    private final String replies = "replies-" + UUID.randomUUID();
    private ServerLocator locator;
    private ClientSession session;
    private TestHub hub;

    @BeforeEach
    void start() throws Exception {
        broker.setConfiguration(new ConfigurationImpl()
                .setSecurityEnabled(false)
                .setPersistenceEnabled(false)
                .setMaxDiskUsage(-1)
                .addAcceptorConfiguration("here", URL));
        broker.start();
        broker.getActiveMQServer().registerBrokerPlugin(new ActiveMQServerPlugin() {
            @Override
            public void afterSend(
                    ServerSession sender,
                    Transaction tx,
                    Message message,
                    boolean direct,
                    boolean noAutoCreateQueue,
                    RoutingStatus result) {
                if (message.getAddress().equals("orders")) {
                    lastNumber.set(message.getMessageID());
                }
            }
        });
        hub = TestHub.start(folder, Map.of("hub.jms.url", URL));
        hub.put("/stock/SADDLE-01", "{\"onHand\": 1000000}");
        await().until(() -> hub.get("/observe/health/ready").status() == 200);
        locator = ActiveMQClient.createServerLocator(URL);
        ClientSessionFactory sessions = locator.createSessionFactory();
        session = sessions.createSession(true, true, 0);
        session.start();
    }

    @AfterEach
    void stop() throws Exception {
        hub.close();
        locator.close();
        broker.stop();
    }

    private enum Sender {
        JMS,
        AMQP,
        WITHOUT_ID
    }

    @ParameterizedTest
    @EnumSource
    void replayOfATakenOrderIsTheSameOrderAndAnswersTheSameRequest(Sender sender) throws Exception {
        ClientMessage order = order();
        String id = UUID.randomUUID().toString();
        switch (sender) {
            case JMS -> order.setUserID(UUIDGenerator.getInstance().generateUUID());
            case AMQP -> order.putStringProperty("NATIVE_MESSAGE_ID", "ID:AMQP_ULONG:" + id);
            case WITHOUT_ID -> {}
        }
        send("orders", order);
        await().untilAsserted(() -> assertThat(orders()).hasSize(1));
        ClientMessage first = reply();
        order.putStringProperty(Message.HDR_ORIGINAL_ADDRESS, SimpleString.of("orders"));
        order.putStringProperty(Message.HDR_ORIGINAL_QUEUE, SimpleString.of("orders"));
        order.putLongProperty(Message.HDR_ORIG_MESSAGE_ID, lastNumber.get());

        send("DLQ", order);
        replay();

        ClientMessage second = reply();
        assertThat(orders()).hasSize(1);
        assertThat(second.getStringProperty("JMSCorrelationID")).isEqualTo(first.getStringProperty("JMSCorrelationID"));
    }

    @Test
    void replayIsAnsweredByItsCorrelationIdOfBytesAtAnAddressWithoutPrefix() throws Exception {
        byte[] correlation = {0, 1, -1, 7};
        ClientMessage order = order();
        order.putStringProperty("JMSReplyTo", replies);
        order.putBytesProperty("JMSCorrelationID", correlation);
        order.putStringProperty(Message.HDR_ORIGINAL_ADDRESS, SimpleString.of("orders"));
        order.putStringProperty(Message.HDR_ORIGINAL_QUEUE, SimpleString.of("orders"));

        send("DLQ", order);
        replay();

        assertThat(reply().getBytesProperty("JMSCorrelationID")).isEqualTo(correlation);
        assertThat(orders()).hasSize(1);
    }

    @Test
    void madeUpIdOfAReplayIsIgnored() throws Exception {
        for (int i = 0; i < 2; i++) {
            ClientMessage order = order();
            order.putStringProperty("deadLetterMessageId", "made up");
            order.putStringProperty("deadLetterMessageIdSeal", "made up");
            send("orders", order);
        }

        await().untilAsserted(() -> assertThat(orders()).hasSize(2));
    }

    private ClientMessage order() {
        ClientMessage message = session.createMessage(Message.TEXT_TYPE, true);
        message.setTimestamp(System.currentTimeMillis());
        message.setRoutingType(RoutingType.ANYCAST);
        message.putStringProperty("JMSReplyTo", "queue://" + replies);
        message.getBodyBuffer().writeNullableSimpleString(SimpleString.of(ORDER.formatted(customer)));
        return message;
    }

    private void send(String address, ClientMessage message) throws Exception {
        try (ClientProducer producer = session.createProducer(address)) {
            producer.send(message);
        }
    }

    private void replay() {
        JsonNode letters = await().until(
                        () -> hub.get("/dead-letters?source=orders").json().path("items"), found -> found.size() == 1);
        String id = letters.get(0).path("id").asText();
        assertThat(hub.post("/dead-letters/" + id + "/replay", "").status()).isEqualTo(200);
    }

    private JsonNode orders() {
        return hub.get("/orders?customerId=" + customer).json().path("items");
    }

    private ClientMessage reply() throws Exception {
        await().until(() -> session.queueQuery(SimpleString.of(replies)).isExists());
        try (var consumer = session.createConsumer(replies)) {
            ClientMessage reply = consumer.receive(TIMEOUT_MILLIS);
            assertThat(reply).isNotNull();
            reply.acknowledge();
            return reply;
        }
    }
}
