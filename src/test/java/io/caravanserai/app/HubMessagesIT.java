package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.config.SettingsReader;
import io.caravanserai.order.OrderJson;
import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TextMessage;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hub seen by a client with only HTTP and the Artemis JMS client. */
class HubMessagesIT {
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "%s",
             "items": [{"sku": "SADDLE-01", "quantity": 2, "unitPrice": 50.00}],
             "shippingAddress": {"country": "NL"}}
            """;
    private static final long PATIENCE = 60_000;

    @TempDir
    static Path folder;

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static Hub hub;
    private Connection connection;
    private Session session;

    @BeforeAll
    static void start() throws Exception {
        hub = Hub.start(new SettingsReader(
                        Map.of(), Map.of("hub.data.dir", folder.toString(), "hub.http.port", "0", "hub.jms.port", "0"))
                .read()
                .settings());
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @BeforeEach
    void connect() throws Exception {
        connection = factory().createConnection();
        session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
        connection.start();
    }

    private static ActiveMQConnectionFactory factory() {
        return new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort().orElseThrow());
    }

    @AfterEach
    void disconnect() throws Exception {
        connection.close();
    }

    @Test
    void orderOverJmsGetsReplyAndEvents() throws Exception {
        MessageConsumer events =
                session.createSharedDurableConsumer(session.createTopic("order-events"), "a-client-of-ours");
        String orderId = newOrderId();

        JsonNode order = reply(send(ORDER.formatted(orderId, "pm_card_visa"), Map.of(), "my-correlation"));

        assertThat(order.path("status").asText()).isEqualTo("SHIPPED");
        assertThat(order.path("orderId").asText()).isEqualTo(orderId);
        List<Message> heard = new ArrayList<>();
        await().until(() -> {
            Message message = events.receive(100);
            if (message != null && orderId.equals(message.getStringProperty("cloudEvents_subject"))) {
                heard.add(message);
            }
            return heard.size() == 4;
        });
        assertThat(heard.stream().map(HubMessagesIT::type))
                .containsExactly("OrderCreated", "ItemsReserved", "PaymentProcessed", "OrderShipped");
        Message paid = heard.get(2);
        assertThat(paid.getStringProperty("cloudEvents_specversion")).isEqualTo("1.0");
        assertThat(paid.getStringProperty("cloudEvents_source")).isEqualTo("/orders");
        assertThat(paid.getStringProperty("cloudEvents_dataschema")).isEqualTo("/schemas/PaymentProcessed/v2");
        assertThat(paid.getStringProperty("cloudEvents_sagaid"))
                .isEqualTo(order.path("sagaId").asText());
        JsonNode data = OrderJson.MAPPER.readTree(((TextMessage) paid).getText());
        assertThat(data.path("amount").decimalValue()).isEqualByComparingTo("100");
        assertThat(data.path("orderId").asText()).isEqualTo(orderId);
        JsonNode logged = json(get("/events?orderId=" + orderId)).path("items");
        assertThat(StreamSupport.stream(logged.spliterator(), false)
                        .map(event -> event.path("id").asText()))
                .containsExactlyElementsOf(heard.stream().map(HubMessagesIT::id).toList());
    }

    @Test
    void aDeclinedOrderIsAnsweredWithTheProblem() throws Exception {
        JsonNode problem = reply(send(ORDER.formatted(newOrderId(), "pm_card_declined"), Map.of(), "c-2"));

        assertThat(problem.path("status").asInt()).isEqualTo(409);
        assertThat(problem.path("orderStatus").asText()).isEqualTo("CANCELLED");
        assertThat(problem.path("reason").asText()).isEqualTo("payment-declined");
    }

    @Test
    void replyToClosedConnectionLeavesNothingAtBroker() throws Exception {
        String orderId = newOrderId();
        String queue;
        try (Connection impatient = factory().createConnection();
                Session theirs = impatient.createSession()) {
            TemporaryQueue answers = theirs.createTemporaryQueue();
            queue = answers.getQueueName();
            TextMessage order = theirs.createTextMessage(ORDER.formatted(orderId, "pm_slow_500"));
            order.setJMSReplyTo(answers);
            theirs.createProducer(theirs.createQueue("orders")).send(order);
        }
        await().until(() ->
                json(get("/orders/" + orderId)).path("status").asText().equals("SHIPPED"));

        // Replies are sent in sequence, so the reply to the first order was attempted before.
        reply(send(ORDER.formatted(newOrderId(), "pm_card_visa"), Map.of(), "the next one"));

        ClientSession core = ((ActiveMQSession) session).getCoreSession();
        assertThat(core.queueQuery(SimpleString.of(queue)).isExists()).isFalse();
    }

    @Test
    void repeatedOrderWithoutIdButWithSameKeyHasOneEffect() throws Exception {
        String order = ORDER.formatted("x", "pm_card_visa").replace("\"orderId\": \"x\", ", "");
        String key = UUID.randomUUID().toString();

        JsonNode first = reply(send(order, Map.of("idempotencyKey", key), "first"));
        JsonNode second = reply(send(order, Map.of("idempotencyKey", key), "second"));
        JsonNode third = reply(send(order, Map.of("idempotencyKey", '"' + key + '"'), "third, in quotes"));

        assertThat(second.path("orderId")).isEqualTo(first.path("orderId"));
        assertThat(third.path("orderId")).isEqualTo(first.path("orderId"));
        assertThat(json(get("/payments?orderId=" + first.path("orderId").asText()))
                        .path("items"))
                .hasSize(1);
    }

    @Test
    void invalidMessageBecomesDeadLetterWithReasonAndNextOrderIsAccepted() throws Exception {
        String mark = UUID.randomUUID().toString();
        Sent garbage = send("{\"customerId\": \"" + mark + "\"", Map.of("mine", mark), "c-3");
        JsonNode next = reply(send(ORDER.formatted(newOrderId(), "pm_card_visa"), Map.of(), "c-4"));
        assertThat(next.path("status").asText()).isEqualTo("SHIPPED");

        JsonNode letter = await().until(() -> letterWith(mark), found -> found != null);

        assertThat(letter.path("source").asText()).isEqualTo("orders");
        assertThat(letter.path("reason").asText()).isEqualTo("invalid-json");
        assertThat(letter.path("headers").path("mine").asText()).isEqualTo(mark);
        assertThat(letter.path("replays").asInt()).isZero();
        MessageConsumer dlq = session.createConsumer(session.createQueue("DLQ"), "mine = '" + mark + "'");
        Message inQueue = dlq.receive(PATIENCE);
        assertThat(inQueue.getStringProperty("reason")).isEqualTo("invalid-json");
        assertThat(((TextMessage) inQueue).getText()).contains(mark);
        assertThat(inQueue.getJMSCorrelationID()).isEqualTo("c-3");
        assertThat(inQueue.getJMSType()).isEqualTo("order");
        assertThat(inQueue.getJMSReplyTo()).hasToString(garbage.replyTo().toString());

        String path = "/dead-letters/" + letter.path("id").asText();
        assertThat(json(call("POST", path + "/replay", null)).path("replays").asInt())
                .isEqualTo(1);
        assertThat(letterWith(mark)).isNotNull();
        assertThat(call("DELETE", path, null).statusCode()).isEqualTo(204);
        assertThat(get(path).statusCode()).isEqualTo(404);
    }

    @Test
    void replayIsInHistoryOfOrderInMessage() throws Exception {
        String orderId = newOrderId();
        String order = ORDER.formatted(orderId, "pm_card_visa");
        reply(send(order, Map.of(), "c-h"));
        send(order.replaceFirst("\\{", "{\"typo\": 1, "), Map.of(), "c-i");
        JsonNode letter = await().until(() -> letterWith(orderId), Objects::nonNull);

        call("POST", "/dead-letters/" + letter.path("id").asText() + "/replay", null);

        assertThat(json(get("/orders/" + orderId)).path("history"))
                .filteredOn(entry -> entry.path("name").asText().equals("dead-letter.replay"))
                .singleElement()
                .extracting(entry -> entry.path("detail").asText(), InstanceOfAssertFactories.STRING)
                .startsWith("orders, " + letter.path("reason").asText() + ": failed again");
    }

    @Test
    void deadLetterIsChangedAndReplayed() throws Exception {
        String orderId = newOrderId();
        String broken = ORDER.formatted(orderId, "pm_card_visa").replaceFirst("\\{", "{\"typo\": 1, ");
        send(broken, Map.of(), "c-m");
        JsonNode letter = await().until(() -> letterWith(orderId), Objects::nonNull);
        String path = "/dead-letters/" + letter.path("id").asText();
        ObjectNode change = OrderJson.MAPPER.createObjectNode();

        assertThat(call("POST", path + "/replay", "{\"body\": 1, \"headers\": {\"style\": true}}")
                        .body())
                .contains("#/body", "#/headers/style");
        assertThat(call("POST", path + "/replay", "{\"bodi\": \"\"}").statusCode())
                .isEqualTo(422);
        assertThat(call("POST", path + "/replay", "{\"headers\": {\"JMSMessageID\": \"ID:1\"}}")
                        .body())
                .contains("#/headers/JMSMessageID");
        change.put("body", ORDER.formatted(orderId, "pm_card_visa")).set("headers", letter.path("headers"));
        HttpResponse<String> mended = call("POST", path + "/replay", change.toString());

        assertThat(mended.statusCode()).isEqualTo(200);
        assertThat(json(mended).path("settledAt").isTextual()).isTrue();
        JsonNode original =
                json(get("/dead-letters/" + json(mended).path("originalId").asText()));
        assertThat(original.path("body").asText()).isEqualTo(broken);
        await().until(() ->
                json(get("/orders/" + orderId)).path("status").asText().equals("SHIPPED"));
        assertThat(call("POST", path + "/replay", change.toString()).statusCode())
                .isEqualTo(409);
        assertThat(call("POST", "/dead-letters/none/replay", "{\"body\": \"\"}").statusCode())
                .isEqualTo(404);
    }

    @Test
    void bulkReplayStopsAfterTooManyConsecutiveFailures() throws Exception {
        String mark = UUID.randomUUID().toString();
        for (int i = 0; i < 10; i++) {
            send("[] " + mark, Map.of("style", "by-camel-" + mark.substring(0, 8)), "c-" + i);
        }
        List<String> ids = await().until(
                        () -> StreamSupport.stream(
                                        json(get("/dead-letters?reason=unknown-style"))
                                                .path("items")
                                                .spliterator(),
                                        false)
                                .filter(each -> each.path("body").asText().contains(mark))
                                .map(each -> "\"" + each.path("id").asText() + "\"")
                                .toList(),
                        found -> found.size() == 10);

        HttpResponse<String> begun = call(
                "POST",
                "/dead-letters/replay",
                "{\"filter\": {\"ids\": " + ids + "}, \"rate\": 200, \"stopAfterFailures\": 3}");

        assertThat(begun.statusCode()).isEqualTo(202);
        assertThat(OrderJson.MAPPER.readTree(begun.body()).path("selected").asInt())
                .isEqualTo(10);
        String location = begun.headers().firstValue("Location").orElseThrow();
        JsonNode progress = await().until(
                        () -> json(get(location)),
                        found -> !found.path("status").asText().equals("running"));
        assertThat(progress.path("status").asText()).isEqualTo("stopped");
        assertThat(progress.path("failed").asInt()).isEqualTo(3);
        assertThat(progress.path("remaining").asInt()).isEqualTo(7);
    }

    @Test
    void eventStreamIsLiveAndResumable() throws Exception {
        List<String> live = new ArrayList<>();
        HttpResponse<InputStream> stream = HTTP.send(
                HttpRequest.newBuilder(uri("/events/stream")).build(), HttpResponse.BodyHandlers.ofInputStream());
        assertThat(stream.headers().firstValue("content-type")).contains("text/event-stream");
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).isEqualTo(": live");
            String orderId = newOrderId();
            reply(send(ORDER.formatted(orderId, "pm_card_visa"), Map.of(), "c-5"));
            readEvents(lines, live, orderId, 4);
        }
        String before = String.valueOf(Long.parseLong(live.get(0).substring("id: ".length())) - 1);
        HttpResponse<InputStream> resumed = HTTP.send(
                HttpRequest.newBuilder(uri("/events/stream"))
                        .header("Last-Event-ID", before)
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(resumed.body(), StandardCharsets.UTF_8))) {
            String line = CompletableFuture.supplyAsync(() -> firstId(lines)).get(60, TimeUnit.SECONDS);
            assertThat(line).isEqualTo(live.get(0));
        }
    }

    private static String firstId(BufferedReader lines) {
        return lines.lines().filter(line -> line.startsWith("id: ")).findFirst().orElseThrow();
    }

    private static void readEvents(BufferedReader lines, List<String> ids, String orderId, int count) throws Exception {
        CompletableFuture.runAsync(() -> {
                    String id = null;
                    while (ids.size() < count) {
                        String line = lines.lines()
                                .filter(each -> each.startsWith("id: ") || each.startsWith("data: "))
                                .findFirst()
                                .orElseThrow();
                        if (line.startsWith("id: ")) {
                            id = line;
                        } else if (line.contains(orderId)) {
                            ids.add(id);
                        }
                    }
                })
                .get(60, TimeUnit.SECONDS);
    }

    @Test
    void servedSchemasAreTheSchemasInUse() throws Exception {
        JsonNode schemas = json(get("/schemas"));
        assertThat(schemas.path("items")).hasSize(14);
        for (JsonNode each : schemas.path("items")) {
            HttpResponse<String> schema = get(each.path("href").asText());
            assertThat(schema.headers().firstValue("content-type")).contains("application/schema+json");
            assertThat(json(schema).path("$schema").asText()).endsWith("2020-12/schema");
        }
        assertThat(get("/schemas/OrderCreated/v3").statusCode()).isEqualTo(404);
        assertThat(get("/schemas/OrderEaten/v1").statusCode()).isEqualTo(404);
    }

    @Test
    void missingResourcesGet404() throws Exception {
        assertThat(json(get("/events?orderId=none")).path("items")).isEmpty();
        assertThat(get("/events?after=x").statusCode()).isEqualTo(400);
        assertThat(get("/dead-letters/none").statusCode()).isEqualTo(404);
        assertThat(get("/dead-letters?cursor=none!").statusCode()).isEqualTo(400);
        assertThat(call("POST", "/dead-letters/none/replay", null).statusCode()).isEqualTo(404);
        assertThat(get("/dead-letters/replays/none").statusCode()).isEqualTo(404);
        assertThat(call("POST", "/dead-letters/replay", "{\"rate\": 0}").statusCode())
                .isEqualTo(422);
        HttpResponse<String> nothingAmongIds =
                call("POST", "/dead-letters/replay", "{\"filter\": {\"ids\": [\"none\", null]}}");
        assertThat(nothingAmongIds.statusCode()).isEqualTo(422);
        assertThat(nothingAmongIds.body()).contains("\"#/filter/ids/1\"");
        assertThat(call("POST", "/dead-letters/replay", "[]").body()).contains("\"pointer\":\"#\"");
    }

    private static JsonNode letterWith(String mark) throws Exception {
        for (JsonNode each : json(get("/dead-letters?source=orders&limit=200")).path("items")) {
            if (each.path("body").asText().contains(mark)) {
                return each;
            }
        }
        return null;
    }

    private record Sent(Destination replyTo, MessageConsumer answers, String correlationId) {}

    private Sent send(String body, Map<String, String> properties, String correlationId) throws JMSException {
        TextMessage message = session.createTextMessage(body);
        jakarta.jms.Queue answers = session.createTemporaryQueue();
        message.setJMSReplyTo(answers);
        message.setJMSType("order");
        message.setJMSCorrelationID(correlationId);
        for (Map.Entry<String, String> property : properties.entrySet()) {
            message.setStringProperty(property.getKey(), property.getValue());
        }
        session.createProducer(session.createQueue("orders")).send(message);
        return new Sent(answers, session.createConsumer(answers), correlationId);
    }

    private static JsonNode reply(Sent sent) throws Exception {
        Message answer = sent.answers().receive(PATIENCE);
        assertThat(answer).isNotNull();
        assertThat(answer.getJMSCorrelationID()).isEqualTo(sent.correlationId());
        return OrderJson.MAPPER.readTree(((TextMessage) answer).getText());
    }

    private static String newOrderId() {
        return "order-" + UUID.randomUUID();
    }

    private static String type(Message event) {
        return property(event, "cloudEvents_type");
    }

    private static String id(Message event) {
        return property(event, "cloudEvents_id");
    }

    private static String property(Message event, String name) {
        try {
            return event.getStringProperty(name);
        } catch (JMSException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        assertThat(response.statusCode()).isEqualTo(200);
        return OrderJson.MAPPER.readTree(response.body());
    }

    private static HttpResponse<String> get(String path) throws Exception {
        return call("GET", path, null);
    }

    private static HttpResponse<String> call(String method, String path, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(60));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        return HTTP.send(
                request.method(
                                method,
                                body == null
                                        ? HttpRequest.BodyPublishers.noBody()
                                        : HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static URI uri(String path) {
        return URI.create("http://127.0.0.1:" + hub.port() + path);
    }
}
