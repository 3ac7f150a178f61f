package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.order.OrderJson;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressFullMessagePolicy;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An outside broker that limits the queues of clients that do not consume their replies. */
class FullQueuesIT {
    private static final String URL = "vm://90212";
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "pm_card_visa",
             "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}
            """;
    private static final int MANY = 20;
    private static final long PATIENCE = 60_000;

    @TempDir
    private Path folder;

    private final EmbeddedActiveMQ broker = new EmbeddedActiveMQ();

    @BeforeEach
    void start() throws Exception {
        ConfigurationImpl configuration = new ConfigurationImpl();
        configuration
                .setSecurityEnabled(false)
                .setPersistenceEnabled(false)
                .setMaxDiskUsage(-1)
                .addAcceptorConfiguration("here", URL);
        for (AddressFullMessagePolicy policy : AddressFullMessagePolicy.values()) {
            configuration.addAddressSetting(
                    "answers." + policy,
                    new AddressSettings().setMaxSizeBytes(5_000).setAddressFullMessagePolicy(policy));
        }
        broker.setConfiguration(configuration);
        broker.start();
    }

    @AfterEach
    void stop() throws Exception {
        broker.stop();
    }

    @ParameterizedTest
    @EnumSource(names = {"FAIL", "BLOCK"})
    void fullReplyQueueBlocksNoOtherSenderAndReceivesAllRepliesLater(AddressFullMessagePolicy policy) throws Exception {
        String full = "answers." + policy;
        try (TestHub hub = TestHub.start(folder, Map.of("hub.jms.url", URL));
                Connection connection = new ActiveMQConnectionFactory(URL).createConnection();
                Session session = connection.createSession()) {
            connection.start();
            TextMessage filling = session.createTextMessage("x".repeat(10_000));
            session.createProducer(session.createQueue(full)).send(filling);
            for (int i = 0; i < MANY; i++) {
                order(session, full);
            }

            String orderId = order(session, "answers.elsewhere");

            assertThat(answer(session, "answers.elsewhere").path("orderId").asText())
                    .isEqualTo(orderId);
            await().untilAsserted(() -> assertThat(
                            hub.get("/orders?status=SHIPPED").json().path("items"))
                    .hasSize(MANY + 1));
            MessageConsumer reader = session.createConsumer(session.createQueue(full));
            for (int i = 0; i <= MANY; i++) {
                assertThat(reader.receive(PATIENCE)).as("message " + i).isNotNull();
            }
        }
    }

    private static String order(Session session, String answers) throws JMSException {
        String orderId = "order-" + UUID.randomUUID();
        Message order = session.createTextMessage(ORDER.formatted(orderId));
        order.setJMSReplyTo(session.createQueue(answers));
        session.createProducer(session.createQueue("orders")).send(order);
        return orderId;
    }

    private static JsonNode answer(Session session, String queue) throws Exception {
        try (MessageConsumer reader = session.createConsumer(session.createQueue(queue))) {
            TextMessage answer = (TextMessage) reader.receive(PATIENCE);
            assertThat(answer).as("an answer in " + queue).isNotNull();
            return OrderJson.MAPPER.readTree(answer.getText());
        }
    }
}
