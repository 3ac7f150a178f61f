package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A complete hub with keys: permissions over HTTP and at the embedded broker. */
class ApiKeysIT {
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
                        "hub.security.api-keys",
                        String.join(",", key("eye", "viewer"), key("shop", "sender"), key("boss", "operator"))));
        assertThat(hub.post("/orders", ORDER.formatted("known"), "X-API-Key", "key of shop")
                        .status())
                .isEqualTo(201);
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/observe/health/live", "/observe/health/ready", "/openapi.json", "/asyncapi.yaml"})
    void publicEndpointsNeedNoKey(String path) {
        assertThat(hub.get(path).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /orders, 200, 200",
        "GET, /orders/known, 200, 200",
        "GET, /sagas, 200, 403",
        "GET, /stock, 200, 403",
        "GET, /stock/SADDLE-01, 200, 403",
        "GET, /payments?orderId=known, 200, 403",
        "GET, /shipments?orderId=known, 200, 403",
        "GET, /events, 200, 403",
        "GET, /schemas, 200, 403",
        "GET, /dead-letters, 200, 403",
        "GET, /flows, 200, 403",
        "GET, /flows/order-queue.camel.yaml, 200, 403",
        "GET, /analytics, 200, 403",
        "GET, /observe/metrics, 200, 403",
        "GET, /observe/health, 200, 403",
        "POST, /orders/known/cancel, 403, 409",
        "PUT, /stock/SADDLE-01, 403, 403",
        "PUT, /flows/mine.camel.yaml, 403, 403",
        "POST, /flows/validate, 403, 403",
        "POST, /flows/order-queue.camel.yaml/rollback, 403, 403",
        "POST, /dead-letters/replay, 403, 403",
        "POST, /sagas/none/retry, 403, 403"
    })
    void eachRoleMayDoItsOwn(String method, String path, int viewer, int sender) {
        String body = method.equals("GET") || path.endsWith("/cancel") ? null : "{}";

        assertThat(hub.send(method, path, body, "X-API-Key", "key of eye")
                        .join()
                        .status())
                .as("viewer")
                .isEqualTo(viewer);
        assertThat(hub.send(method, path, body, "Authorization", "Bearer key of shop")
                        .join()
                        .status())
                .as("sender")
                .isEqualTo(sender);
        assertThat(hub.send(method, path, body, "Authorization", "Bearer key of boss")
                        .join()
                        .status())
                .as("operator")
                .isNotIn(401, 403);
        TestHub.Answer nobody = hub.send(method, path, body).join();
        assertThat(nobody.status()).isEqualTo(401);
        assertThat(nobody.header("WWW-Authenticate")).startsWith("Bearer");
        assertThat(hub.send(method, path, body, "X-API-Key", "key of nobody")
                        .join()
                        .status())
                .isEqualTo(401);
    }

    @Test
    void historyOfCancelledOrderNamesCaller() {
        hub.post(
                "/orders",
                ORDER.formatted("regretted").replace("pm_card_visa", "pm_slow_5000"),
                "X-API-Key",
                "key of shop",
                "Prefer",
                "respond-async");

        assertThat(hub.post("/orders/regretted/cancel", "", "X-API-Key", "key of boss")
                        .status())
                .isEqualTo(202);

        List<String> requests = new ArrayList<>();
        hub.get("/orders/regretted", "X-API-Key", "key of eye")
                .json()
                .path("history")
                .forEach(entry -> {
                    if (entry.path("name").asText().equals("OrderCancelRequested")) {
                        requests.add(entry.path("detail").asText());
                    }
                });
        assertThat(requests).containsExactly("cancelled-by-operator by boss");
    }

    @Test
    void onlySendersAndOperatorsPostOrders() {
        assertThat(post("by-viewer", "eye").status()).isEqualTo(403);
        assertThat(post("by-sender", "shop").status()).isEqualTo(201);
        assertThat(post("by-operator", "boss").status()).isEqualTo(201);
        assertThat(hub.post("/orders", ORDER.formatted("by-nobody")).status()).isEqualTo(401);
        assertThat(hub.get("/orders/by-viewer", "X-API-Key", "key of boss").status())
                .isEqualTo(404);
    }

    @Test
    void senderSendsOrderOverJmsAndReceivesReply() throws Exception {
        try (Connection connection = connect("shop", "key of shop");
                Session session = connection.createSession()) {
            connection.start();
            TextMessage order = session.createTextMessage(ORDER.formatted("by-jms"));
            order.setJMSReplyTo(session.createTemporaryQueue());
            session.createProducer(session.createQueue("orders")).send(order);
            try (MessageConsumer answers = session.createConsumer(order.getJMSReplyTo())) {
                Message answer = answers.receive(60_000);
                assertThat(answer).isInstanceOf(TextMessage.class);
                assertThat(((TextMessage) answer).getText()).contains("\"SHIPPED\"");
            }
        }
    }

    @Test
    void viewerReceivesEventsAndSendsNoOrders() throws Exception {
        try (Connection connection = connect("eye", "key of eye");
                Session session = connection.createSession()) {
            connection.start();
            MessageConsumer events = session.createConsumer(session.createTopic("order-events"));
            assertThat(post("heard", "shop").status()).isEqualTo(201);
            assertThat(events.receive(60_000)).isNotNull();
            assertThatThrownBy(() -> session.createProducer(session.createQueue("orders"))
                            .send(session.createTextMessage(ORDER.formatted("by-viewer"))))
                    .isInstanceOf(JMSException.class);
        }
    }

    @Test
    void brokerRefusesUnknownLogins() {
        assertThatThrownBy(() -> connect("shop", "key of eye")).isInstanceOf(JMSSecurityException.class);
        assertThatThrownBy(() -> connect(null, null)).isInstanceOf(JMSSecurityException.class);
        assertThatThrownBy(() -> connect("hub", "hub")).isInstanceOf(JMSSecurityException.class);
    }

    private static TestHub.Answer post(String orderId, String who) {
        return hub.post("/orders", ORDER.formatted(orderId), "X-API-Key", "key of " + who);
    }

    private static Connection connect(String user, String password) throws JMSException {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort());
        Connection connection = factory.createConnection(user, password);
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
