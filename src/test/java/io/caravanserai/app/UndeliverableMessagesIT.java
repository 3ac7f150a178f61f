package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.ActiveMQInternalErrorException;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientProducer;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ClientSessionFactory;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.apache.activemq.artemis.core.config.CoreAddressConfiguration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.MessageReference;
import org.apache.activemq.artemis.core.server.ServerConsumer;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.server.plugin.ActiveMQServerPlugin;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An external broker that cannot deliver some messages to the hub. Artemis does so for AMQP messages without a form in
 * the core protocol, such as a map that contains a list: the broker closes the consumer and counts a failed delivery of
 * each message that the broker has sent ahead.
 */
class UndeliverableMessagesIT {
    private static final String URL = "vm://90213";
    private static final String UNDELIVERABLE = "undeliverable";
    private static final String ORDER = """
            {"customerId": "%s", "currency": "EUR", "paymentMethod": "pm_card_visa",
             "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}
            """;
    private static final int ORDERS = 600;
    private static final int UNDELIVERABLE_EVERY = 200;

    @TempDir
    private Path folder;

    private final EmbeddedActiveMQ broker = new EmbeddedActiveMQ();

    @BeforeEach
    void start() throws Exception {
        broker.setConfiguration(new ConfigurationImpl()
                .setSecurityEnabled(false)
                .setPersistenceEnabled(false)
                .setMaxDiskUsage(-1)
                .addAcceptorConfiguration("here", URL)
                .addAddressSetting("#", new AddressSettings().setDeadLetterAddress(SimpleString.of("DLQ")))
                .addAddressConfiguration(new CoreAddressConfiguration()
                        .setName("DLQ")
                        .addRoutingType(RoutingType.ANYCAST)
                        .addQueueConfiguration(QueueConfiguration.of("DLQ").setRoutingType(RoutingType.ANYCAST))));
        broker.start();
        broker.getActiveMQServer().registerBrokerPlugin(new Converter());
    }

    @AfterEach
    void stop() throws Exception {
        broker.stop();
    }

    private static final class Converter implements ActiveMQServerPlugin {
        @Override
        public void beforeDeliver(ServerConsumer consumer, MessageReference reference) throws ActiveMQException {
            if (reference.getMessage().containsProperty(UNDELIVERABLE)) {
                throw new ActiveMQInternalErrorException("no form in the core protocol");
            }
        }
    }

    @Test
    void undeliverableMessagesTakeNoSoundOrdersAlong() throws Exception {
        String customer = "C-" + UUID.randomUUID();
        try (TestHub hub = TestHub.start(folder, Map.of("hub.jms.url", URL))) {
            hub.put("/stock/SADDLE-01", "{\"onHand\": 1000000}");
            await().until(() -> hub.get("/observe/health/ready").status() == 200);

            int undeliverable = send("orders", ORDERS, customer, UNDELIVERABLE_EVERY);

            await().until(() -> depth("orders") == 0);
            await().untilAsserted(() ->
                    assertThat(count(hub, "/orders?customerId=" + customer)).isEqualTo(ORDERS));
            // Artemis also sends the message behind an undeliverable one before the broker closes the consumer.
            assertThat(depth("DLQ")).isBetween((long) undeliverable, 2L * undeliverable);
            assertThat(hub.get("/observe/health/ready").status()).isEqualTo(200);
        }
    }

    @Test
    void undeliverableMessageThatTheBrokerNeverGivesUpHoldsUpNoOrder() throws Exception {
        broker.getActiveMQServer()
                .getAddressSettingsRepository()
                .addMatch(
                        "orders",
                        new AddressSettings().setMaxDeliveryAttempts(-1).setDeadLetterAddress(SimpleString.of("DLQ")));
        try (TestHub hub = TestHub.start(folder, Map.of("hub.jms.url", URL))) {
            hub.put("/stock/SADDLE-01", "{\"onHand\": 1000000}");

            send("orders", 3, "C-1", 1);

            await().untilAsserted(() ->
                    assertThat(count(hub, "/orders?customerId=C-1")).isEqualTo(3));
            await().untilAsserted(() -> assertThat(depth("orders")).isZero());
            await().until(() -> hub.get("/observe/health/ready").status() == 200);
        }
    }

    @Test
    void deadLettersBehindUndeliverableOnesAreListed() throws Exception {
        try (TestHub hub = TestHub.start(folder, Map.of("hub.jms.url", URL))) {
            send("DLQ", 3, "sound", 1);

            await().untilAsserted(() ->
                    assertThat(count(hub, "/dead-letters?source=DLQ")).isEqualTo(3));
        }
    }

    private long depth(String queue) {
        return broker.getActiveMQServer().locateQueue(queue).getMessageCount();
    }

    private static int count(TestHub hub, String path) {
        int count = 0;
        String cursor = "";
        while (cursor != null) {
            JsonNode page = hub.get(path + "&limit=200" + cursor).json();
            count += page.path("items").size();
            cursor = page.has("nextCursor")
                    ? "&cursor=" + page.path("nextCursor").asText()
                    : null;
        }
        return count;
    }

    /** Sends orders, with two undeliverable messages in each group of that many; returns the undeliverable ones. */
    private static int send(String address, int orders, String customer, int group) throws Exception {
        try (ServerLocator locator = ActiveMQClient.createServerLocator(URL);
                ClientSessionFactory sessions = locator.createSessionFactory();
                ClientSession session = sessions.createSession(false, false);
                ClientProducer producer = session.createProducer(address)) {
            int undeliverable = 0;
            for (int i = 0; i < orders; i++) {
                for (int bad = 0; bad < 2 && i % group == group - 1; bad++) {
                    undeliverable++;
                    ClientMessage message = text(session, "undeliverable");
                    message.putBooleanProperty(UNDELIVERABLE, true);
                    producer.send(message);
                }
                producer.send(text(session, ORDER.formatted(customer)));
            }
            session.commit();
            return undeliverable;
        }
    }

    private static ClientMessage text(ClientSession session, String text) {
        ClientMessage message = session.createMessage(Message.TEXT_TYPE, true);
        message.setRoutingType(RoutingType.ANYCAST);
        message.getBodyBuffer().writeNullableSimpleString(SimpleString.of(text));
        return message;
    }
}
