package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.order.OrderJson;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Routes of one's own between a queue or topic and the intake of orders. */
class IntakeRoutesIT {
    private static final String ORDER = """
            {"customerId": "C-1", "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}], "currency": "EUR", \
            "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}""";

    private static final String NAMED = ORDER.replaceFirst("\\{", "{\"orderId\": \"%s\", ");
    private static final String SPLIT = """
            - route:
                id: batches
                from:
                  uri: orders:jms:batches
                  steps:
                    - split:
                        jsonpath: { expression: "$[*]", writeAsString: true }
                        steps:
                          - to: orders:submit
            """;

    @TempDir
    private static Path folder;

    private static Path routes;
    private static TestHub hub;
    private static KafkaHub kafka;
    private Connection connection;
    private Session session;

    @BeforeAll
    static void start() throws Exception {
        routes = Files.createDirectory(folder.resolve("routes"));
        for (String file : List.of(
                "order-request-reply.camel.yaml",
                "order-queue.camel.yaml",
                "orders-jms.camel.yaml",
                "orders-kafka.camel.yaml")) {
            Files.copy(Path.of("src/main/resources/routes", file), routes.resolve(file));
        }
        kafka = KafkaHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
        hub = kafka.hub();
        hub.put("/stock/BELL", "{\"onHand\": 100000}");
    }

    @AfterAll
    static void stop() {
        kafka.close();
    }

    @BeforeEach
    void connect() throws JMSException {
        connection = new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort()).createConnection();
        session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
        connection.start();
    }

    @AfterEach
    void disconnect() throws JMSException {
        connection.close();
    }

    @Test
    void ordersFromASecondQueueAreTakenAndAnswered() throws Exception {
        put("shop-orders.camel.yaml", recipe("second-queue"));

        JsonNode reply = request("shop-orders", NAMED.formatted("shop-1"));

        assertThat(reply.path("orderId").asText()).isEqualTo("shop-1");
        assertThat(reply.path("status").asText()).isEqualTo("SHIPPED");
        assertThat(reply.path("style").asText()).isEqualTo("queue");
    }

    @Test
    void anotherShapeOfJsonIsMappedToAnOrder() throws Exception {
        put("erp-orders.camel.yaml", recipe("mapped-orders"));

        kafka.send(new ProducerRecord<>("erp-orders", KafkaHub.bytes("""
                {"number": "erp-1", "buyer": "C \\"quoted\\"", \
                "lines": [{"sku": "BELL", "quantity": 2, "unitPrice": 5.00}, \
                {"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}]}""")));

        kafka.awaitStatus("erp-1", "SHIPPED");
        assertThat(hub.get("/orders/erp-1").json().path("customerId").asText()).isEqualTo("C \"quoted\"");
        assertThat(hub.get("/orders/erp-1").json().path("total").decimalValue()).isEqualByComparingTo("60.00");
    }

    @Test
    void eachOrderOfASplitMessageHasOneEffectAlsoWhenTheMessageComesAgain() throws Exception {
        put("batches.camel.yaml", SPLIT);
        String batch = "[" + String.join(",", ORDER, ORDER, ORDER).replace("C-1", "C-batch") + "]";

        send("batches", batch, Map.of("idempotencyKey", "batch-1"));
        await().until(() -> shipped("C-batch") == 3);
        send("batches", batch, Map.of("idempotencyKey", "batch-1"));
        send("batches", batch.replace("C-batch", "C-nameless"), Map.of());
        await().until(() -> shipped("C-nameless") == 3);

        assertThat(orders("C-batch")).hasSize(3);
    }

    @Test
    void aMessageThatTheRouteFailsOnIsADeadLetterThatTheMendedRouteTakes() throws Exception {
        String broken = """
                - route:
                    id: mended
                    from:
                      uri: orders:jms:mended
                      steps:
                        - setHeader:
                            name: number
                            jsonpath: $.missing
                        - to: orders:submit
                """;
        put("mended.camel.yaml", broken);
        send("mended", NAMED.formatted("mended-1"), Map.of());
        JsonNode letter = await().until(() -> letters("mended"), found -> found.size() == 1)
                .get(0);
        assertThat(letter.path("reason").asText()).isEqualTo("flow-error");
        assertThat(letter.path("body").asText()).isEqualTo(NAMED.formatted("mended-1"));

        put("mended.camel.yaml", broken.replace("$.missing", "$.orderId"));
        TestHub.Answer replayed = hub.post("/dead-letters/" + letter.path("id").asText() + "/replay", null);

        assertThat(replayed.json().path("settledAt").isTextual())
                .as(replayed.body())
                .isTrue();
        kafka.awaitStatus("mended-1", "SHIPPED");
    }

    @Test
    void aBodyThatBreaksTheParserOfTheRouteIsADeadLetterAndTheNextOrderIsTaken() throws Exception {
        put("deep.camel.yaml", recipe("mapped-orders").replace("erp-orders", "deep"));

        kafka.send(new ProducerRecord<>("deep", 0, null, KafkaHub.bytes("[".repeat(900_000))));
        kafka.send(new ProducerRecord<>("deep", 0, null, KafkaHub.bytes("""
                {"number": "deep-1", "buyer": "C-1", "lines": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}]}""")));

        await().until(() -> letters("deep"), found -> found.size() == 1);
        kafka.awaitStatus("deep-1", "SHIPPED");
    }

    @Test
    void aRefusedOrderThatTheRouteMendsIsTakenAtTheSecondAttempt() throws Exception {
        put("mends.camel.yaml", """
                - route:
                    id: mends
                    from:
                      uri: orders:jms:mends
                      steps:
                        - setProperty:
                            name: received
                            simple: ${body}
                        - doTry:
                            steps:
                              - setBody:
                                  constant: "{}"
                              - to: orders:submit
                            doCatch:
                              - exception: [io.caravanserai.intake.OrderRefusedException]
                                steps:
                                  - setBody:
                                      simple: ${exchangeProperty.received}
                                  - to: orders:submit
                """);

        send("mends", NAMED.formatted("mends-1"), Map.of());

        kafka.awaitStatus("mends-1", "SHIPPED");
        assertThat(letters("mends")).isEmpty();
    }

    @Test
    void aRefusedPartThatASplitLeavesOutIsADeadLetter() throws Exception {
        put(
                "grouped.camel.yaml",
                SPLIT.replace("batches", "grouped")
                        .replace(
                                "    - split:",
                                "    - split:\n            aggregationStrategy: \"#class:"
                                        + "org.apache.camel.processor.aggregate.GroupedBodyAggregationStrategy\""));

        send(
                "grouped",
                "[" + NAMED.formatted("grouped-1") + ", {\"no\": \"order\"}, " + NAMED.formatted("grouped-2") + "]",
                Map.of());

        await().until(() -> letters("grouped"), found -> found.size() == 1);
        kafka.awaitStatus("grouped-1", "SHIPPED");
        kafka.awaitStatus("grouped-2", "SHIPPED");
    }

    @Test
    void twoOrdersThatCannotBeToldApartAreRefused() throws Exception {
        put("twice.camel.yaml", """
                - route:
                    id: twice
                    from:
                      uri: orders:jms:twice
                      steps:
                        - to: orders:submit
                        - to: orders:submit
                """);

        send("twice", ORDER.replace("C-1", "C-twice"), Map.of());

        await().until(() -> letters("twice"), found -> found.size() == 1);
        assertThat(letters("twice").get(0).path("reason").asText()).isEqualTo("ambiguous-order");
        assertThat(orders("C-twice")).hasSize(1);
    }

    @Test
    void aSecondRouteWithTheSameSourceIsRefused() {
        String rival = "- route:\n    id: rival\n    from:\n      uri: orders:jms:orders\n      steps:\n"
                + "        - to: orders:submit\n";

        TestHub.Answer refused = hub.put("/flows/rival.camel.yaml", rival, "Content-Type", "application/yaml");
        TestHub.Answer checked =
                hub.post("/flows/validate?file=rival.camel.yaml", rival, "Content-Type", "application/yaml");

        assertThat(refused.status()).as(refused.body()).isEqualTo(422);
        assertThat(refused.json().path("errors").get(0).path("message").asText())
                .contains("orders-jms", "jms:orders");
        assertThat(checked.json().path("errors")).isEqualTo(refused.json().path("errors"));
    }

    @Test
    void noOrderIsLostOrDoubledWhileTheRouteIsEdited() throws Exception {
        String text = Files.readString(Path.of("src/main/resources/routes/orders-jms.camel.yaml"));
        for (int edit = 0; edit < 8; edit++) {
            for (int number = 0; number < 25; number++) {
                send("orders", ORDER.replace("C-1", "C-edited"), Map.of());
                kafka.send(new ProducerRecord<>("orders", KafkaHub.bytes(ORDER.replace("C-1", "C-edited"))));
            }
            if (edit % 3 == 2) {
                assertThat(hub.send("DELETE", "/flows/orders-jms.camel.yaml", null)
                                .join()
                                .status())
                        .isEqualTo(204);
            }
            put("orders-jms.camel.yaml", text.replace("Takes orders", "Takes orders (" + edit + ")"));
        }

        await().until(() -> shipped("C-edited") >= 400);
        assertThat(orders("C-edited")).hasSize(400);
    }

    @Test
    void theWaysInAreRoutesInCamelsMeters() throws Exception {
        request("orders", NAMED.formatted("metered-1"));

        assertThat(hub.get("/observe/metrics").body())
                .containsPattern("camel_exchanges_total\\{[^}]*routeId=\"orders-jms@\\d+\"[^}]*} [1-9]");
    }

    private static void put(String file, String text) {
        TestHub.Answer put = hub.put("/flows/" + file, text, "Content-Type", "application/yaml");
        assertThat(put.status()).as(put.body()).isIn(200, 201);
    }

    private static String recipe(String name) throws IOException {
        String page = Files.readString(Path.of("docs", "flows.md"));
        int begin = page.indexOf("```yaml\n", page.indexOf("<!-- recipe: " + name + " -->")) + "```yaml\n".length();
        return page.substring(begin, page.indexOf("```", begin));
    }

    private void send(String queue, String body, Map<String, String> properties) throws JMSException {
        TextMessage message = session.createTextMessage(body);
        for (Map.Entry<String, String> property : properties.entrySet()) {
            message.setStringProperty(property.getKey(), property.getValue());
        }
        session.createProducer(session.createQueue(queue)).send(message);
    }

    private JsonNode request(String queue, String body) throws Exception {
        Queue answers = session.createTemporaryQueue();
        TextMessage message = session.createTextMessage(body);
        message.setJMSReplyTo(answers);
        session.createProducer(session.createQueue(queue)).send(message);
        MessageConsumer consumer = session.createConsumer(answers);
        TextMessage reply = (TextMessage) consumer.receive(60_000);
        assertThat(reply.getJMSCorrelationID()).isEqualTo(message.getJMSMessageID());
        return OrderJson.MAPPER.readTree(reply.getText());
    }

    private static List<JsonNode> letters(String source) {
        return kafka.items("/dead-letters?source=" + source);
    }

    private static long shipped(String customer) {
        return orders(customer).stream()
                .filter(order -> order.path("status").asText().equals("SHIPPED"))
                .count();
    }

    private static List<JsonNode> orders(String customer) {
        List<JsonNode> orders = new ArrayList<>();
        String next = "/orders?limit=200&customerId=" + customer;
        while (next != null) {
            JsonNode page = hub.get(next).json();
            page.path("items").forEach(orders::add);
            next = page.has("nextCursor")
                    ? "/orders?limit=200&customerId=" + customer + "&cursor="
                            + page.path("nextCursor").asText()
                    : null;
        }
        return orders;
    }
}
