package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.activemq.artemis.jms.client.ActiveMQMessage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Headers of outside messages in flows, and headers of a request in the response. */
class HubEdgeIT {
    private static final List<String> STEERING = List.of(
            "Long-Running-Action",
            "long-running-action",
            "CaravanseraiSagaId",
            "caravanseraiSAGAid",
            "CaravanseraiCompensating",
            "CamelFileName",
            "cAmelHttpUri",
            "org.apache.camel.x");

    private static final String FLOW = """
            - route:
                id: edge-http
                from:
                  uri: platform-http:/edge
                  steps:
                    - setBody: {simple: "seen ${headers}"}
            - route:
                id: edge-json
                from:
                  uri: platform-http:/json
                  steps:
                    - setHeader: {name: Content-Type, constant: application/json}
                    - setBody: {constant: "{}"}
            - route:
                id: edge-breaker
                from:
                  uri: platform-http:/breaker
                  steps:
                    - circuitBreaker:
                        resilience4jConfiguration: {timeoutEnabled: true}
                        steps:
                          - setBody: {constant: closed}
            - route:
                id: edge-saga
                from:
                  uri: platform-http:/saga
                  steps:
                    - saga:
                        propagation: MANDATORY
                        steps:
                          - setBody: {constant: joined}
            - route:
                id: edge-rest
                from:
                  uri: rest:get:edge-rest
                  steps:
                    - setBody: {simple: "seen ${headers}"}
            - route:
                id: edge-call
                from:
                  uri: platform-http:/call
                  steps:
                    - removeHeaders: {pattern: "*"}
                    - to: http://127.0.0.1:%1$d/other
                    - setBody: {simple: "seen ${headers}"}
            - route:
                id: edge-vertx
                from:
                  uri: platform-http:/vertx
                  steps:
                    - removeHeaders: {pattern: "*"}
                    - setHeader: {name: Long-Running-Action, constant: mine}
                    - to: vertx-http:http://127.0.0.1:%1$d/seen
            - route:
                id: edge-jms
                from:
                  uri: jms:queue:edge-in
                  steps:
                    - setBody: {simple: "seen ${headers}"}
                    - removeHeaders: {pattern: "*"}
                    - to: jms:queue:edge-out
            - route:
                id: edge-kafka
                from:
                  uri: kafka:edge-in?groupId=edge&autoOffsetReset=earliest
                  steps:
                    - setBody: {simple: "seen ${headers}"}
                    - removeHeaders: {pattern: "*"}
                    - to: jms:queue:edge-out
            """;

    @TempDir
    private static Path folder;

    private static HttpServer other;
    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        other = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        other.createContext("/other", exchange -> {
            STEERING.forEach(name -> exchange.getResponseHeaders().add(name, "forged"));
            exchange.getResponseHeaders().add("X-Harmless", "kept");
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        other.createContext("/seen", exchange -> {
            byte[] seen = exchange.getRequestHeaders().keySet().toString().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, seen.length);
            exchange.getResponseBody().write(seen);
            exchange.close();
        });
        other.start();
        Path routes = Files.createDirectory(folder.resolve("routes"));
        Files.writeString(
                routes.resolve("edge.camel.yaml"),
                FLOW.formatted(other.getAddress().getPort()));
        hub = TestHub.start(
                folder.resolve("data"),
                Map.of(
                        "hub.routes.dir",
                        routes.toString(),
                        "hub.kafka.brokers",
                        "embedded",
                        "hub.kafka.port",
                        "0",
                        "hub.security.api-keys",
                        "boss:operator:" + sha256("key of boss")));
    }

    @AfterAll
    static void stop() {
        hub.close();
        other.stop(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/edge", "/edge?Long-Running-Action=forged&CamelFileName=forged", "/edge-rest"})
    void controlHeaderOfRequestIsHiddenFromFlow(String path) {
        TestHub.Answer answer = hub.get(path, steering("X-API-Key", "key of boss", "X-Harmless", "kept"));

        assertThat(answer.status()).isEqualTo(200);
        assertHarmlessOnly(answer.body());
        assertThat(answer.body()).doesNotContain("key of boss");
    }

    /** Some dependencies of the circuit breaker are excluded from the build. */
    @Test
    void aFlowMayHaveACircuitBreaker() {
        assertThat(hub.get("/breaker", "X-API-Key", "key of boss").body()).isEqualTo("closed");
    }

    @Test
    void aRequestDoesNotJoinASaga() {
        assertThat(hub.post("/saga", "", "X-API-Key", "key of boss", "Long-Running-Action", "01a2-forged")
                        .body())
                .doesNotContain("joined");
    }

    @Test
    void responseHasNoHeaderOfRequest() {
        TestHub.Answer answer = hub.post(
                "/edge",
                "<x/>",
                "Content-Type",
                "application/xml",
                "Authorization",
                "Bearer key of boss",
                "Cookie",
                "session=1",
                "X-Harmless",
                "kept");

        assertThat(answer.body()).contains("X-Harmless").doesNotContain("key of boss");
        assertThat(answer.http().headers().map().keySet())
                .doesNotContain("x-harmless", "cookie", "authorization", "user-agent", "content-type");
    }

    @Test
    void responseHasHeadersSetByFlow() {
        TestHub.Answer answer = hub.post("/json", "{}", "X-API-Key", "key of boss", "Content-Type", "application/json");

        assertThat(answer.header("Content-Type")).isEqualTo("application/json");
    }

    @Test
    void controlHeaderInServiceResponseIsDropped() {
        assertHarmlessOnly(hub.get("/call", "X-API-Key", "key of boss").body());
    }

    @Test
    void sagaHeaderIsNotSentToOutsideService() {
        assertThat(hub.get("/vertx", "X-API-Key", "key of boss").body().toLowerCase(Locale.ROOT))
                .contains("host")
                .doesNotContain("long-running-action", "x-api-key");
    }

    @Test
    void controlPropertyOfJmsMessageIsHiddenFromFlow() throws Exception {
        try (Connection connection = connect();
                Session session = connection.createSession()) {
            TextMessage message = session.createTextMessage("hello");
            message.setStringProperty("Long_HYPHEN_Running_HYPHEN_Action", "forged");
            message.setStringProperty("long_HYPHEN_running_HYPHEN_action", "forged");
            message.setStringProperty("CaravanseraiSagaId", "forged");
            message.setStringProperty("CamelFileName", "forged");
            message.setStringProperty("cAmelHttpUri", "forged");
            message.setStringProperty("X_HYPHEN_Harmless", "kept");
            // A core client can set names that JMS does not allow.
            ((ActiveMQMessage) message).getCoreMessage().putStringProperty("Long-Running-Action", "forged");
            session.createProducer(session.createQueue("edge-in")).send(message);

            assertHarmlessOnly(received(connection, session));
        }
    }

    @Test
    void controlHeaderOfKafkaRecordIsHiddenFromFlow() throws Exception {
        try (Connection connection = connect();
                Session session = connection.createSession()) {
            var record =
                    new org.apache.kafka.clients.producer.ProducerRecord<byte[], byte[]>("edge-in", bytes("hello"));
            STEERING.forEach(name -> record.headers().add(name, bytes("forged")));
            record.headers().add("X-Harmless", bytes("kept"));
            try (var producer = new org.apache.kafka.clients.producer.KafkaProducer<byte[], byte[]>(
                    KafkaKeysIT.settings(hub.kafkaBrokers(), "boss"),
                    new org.apache.kafka.common.serialization.ByteArraySerializer(),
                    new org.apache.kafka.common.serialization.ByteArraySerializer())) {
                producer.send(record).get();
            }

            assertHarmlessOnly(received(connection, session));
        }
    }

    private static String received(Connection connection, Session session) throws JMSException {
        connection.start();
        try (MessageConsumer out = session.createConsumer(session.createQueue("edge-out"))) {
            TextMessage message =
                    (TextMessage) out.receive(Duration.ofMinutes(1).toMillis());
            assertThat(message).isNotNull();
            return message.getText();
        }
    }

    private static void assertHarmlessOnly(String headers) {
        // Names of headers only; a query or the raw headers of a record may show the sent values.
        assertThat(headers.toLowerCase(Locale.ROOT))
                .contains("x-harmless=")
                .doesNotContainPattern("[{ ](long-running-action|caravanserai[a-z]*|camelfilename|org.apache.camel.x)=")
                .doesNotContainPattern("[{ ]camelhttpuri=forged");
    }

    private static String[] steering(String... more) {
        String[] headers = new String[2 * STEERING.size() + more.length];
        for (int i = 0; i < STEERING.size(); i++) {
            headers[2 * i] = STEERING.get(i);
            headers[2 * i + 1] = "forged";
        }
        System.arraycopy(more, 0, headers, 2 * STEERING.size(), more.length);
        return headers;
    }

    private static Connection connect() throws JMSException {
        return new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort())
                .createConnection("boss", "key of boss");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String sha256(String text) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes(text)));
    }
}
