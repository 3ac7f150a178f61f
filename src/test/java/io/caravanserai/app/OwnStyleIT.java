package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravanserai.app.TestHub.Answer;
import jakarta.jms.Connection;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A flow {@code order-express.camel.yaml} defines the style {@code express}. */
class OwnStyleIT {
    private static final Path SHIPPED = Path.of("src/main/resources/routes");

    @TempDir
    static Path folder;

    private static Path routes;
    private static TestHub hub;

    @BeforeAll
    static void startHub() throws Exception {
        routes = Files.createDirectories(folder.resolve("routes"));
        try (Stream<Path> files = Files.list(SHIPPED)) {
            for (Path file : files.toList()) {
                Files.copy(file, routes.resolve(file.getFileName()));
            }
        }
        Files.writeString(routes.resolve("order-express.camel.yaml"), like("request-reply", "express"));
        Files.writeString(routes.resolve("order-told.camel.yaml"), like("pubsub", "told"));
        Files.writeString(routes.resolve("order-free.camel.yaml"), like("choreography", "free"));
        start();
    }

    private static void start() throws Exception {
        hub = TestHub.start(
                folder.resolve("data"), Map.of("hub.routes.dir", routes.toString(), "hub.orders.style", "express"));
        hub.put("/stock/SADDLE-01", "{\"onHand\": 1000}");
    }

    @AfterAll
    static void stopHub() {
        hub.close();
    }

    /** Returns the text of a flow of the hub under another name. */
    private static String like(String shipped, String style) throws IOException {
        return Files.readString(SHIPPED.resolve("order-" + shipped + ".camel.yaml"))
                .replace("order-" + shipped, "order-" + style)
                .replace("style: " + shipped, "style: " + style)
                .replace(shipped + "-", style + "-");
    }

    private static String order(String id, String method) {
        return """
                {"orderId": "ID", "customerId": "C-1", "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 5}],
                "currency": "EUR", "paymentMethod": "METHOD", "shippingAddress": {"country": "NL"}}""".replace("ID", id).replace("METHOD", method);
    }

    @Test
    void ordersRunInCustomStyle() {
        for (String style : List.of("express", "told", "free")) {
            Answer shipped = hub.post("/orders?style=" + style, order(style + "-1", "pm_card_visa"));
            Answer cancelled = hub.post("/orders?style=" + style, order(style + "-2", "pm_card_declined"));

            assertThat(shipped.status()).isEqualTo(201);
            assertThat(shipped.json().path("style").asText()).isEqualTo(style);
            assertThat(shipped.json().path("flow").asText()).isEqualTo("order-" + style);
            assertThat(shipped.json().has("sagaId")).isEqualTo(!style.equals("free"));
            assertThat(cancelled.status()).isEqualTo(409);
            assertThat(cancelled.json().path("reason").asText()).isEqualTo("payment-declined");
            assertThat(hub.get("/orders?style=" + style).json().path("items"))
                    .hasSizeGreaterThanOrEqualTo(2)
                    .allMatch(order -> order.path("style").asText().equals(style));
            assertThat(hub.get("/payments?orderId=" + style + "-1")
                            .json()
                            .at("/items/0/status")
                            .asText())
                    .isEqualTo("CAPTURED");
        }
    }

    @Test
    void messagesAndSettingMayNameCustomStyle() throws Exception {
        try (ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort());
                Connection connection = factory.createConnection()) {
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            TextMessage told = session.createTextMessage(order("by-jms-told", "pm_card_visa"));
            told.setStringProperty("style", "told");
            TextMessage unknown = session.createTextMessage(order("by-jms-unknown", "pm_card_visa"));
            unknown.setStringProperty("style", "tolt");
            TextMessage usual = session.createTextMessage(order("by-jms-usual", "pm_card_visa"));
            for (TextMessage each : List.of(told, unknown, usual)) {
                session.createProducer(session.createQueue("orders")).send(each);
            }
        }

        await().until(
                        () -> hub.get("/orders/by-jms-usual")
                                .json()
                                .path("status")
                                .asText(),
                        "SHIPPED"::equals);
        await().until(() -> hub.get("/orders/by-jms-told").json().path("status").asText(), "SHIPPED"::equals);
        assertThat(hub.get("/orders/by-jms-usual").json().path("style").asText())
                .isEqualTo("express");
        assertThat(hub.get("/orders/by-jms-told").json().path("style").asText()).isEqualTo("told");
        Answer letters = hub.get("/dead-letters?reason=unknown-style");
        assertThat(letters.json().path("items")).hasSize(1);
        assertThat(letters.json().at("/items/0/error").asText()).contains("'tolt' is none of", "express", "told");
    }

    @Test
    void unknownStyleIsRefusedWithListOfStyles() {
        for (String call : List.of("/orders?style=expres", "/orders?style=no/name")) {
            Answer refused = hub.post(call, order("never", "pm_card_visa"));

            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.body())
                    .contains("request-reply, queue, pubsub, choreography", "express", "free", "told");
        }
        assertThat(hub.get("/orders?style=expres").status()).isEqualTo(400);
        assertThat(hub.get("/orders/never").status()).isEqualTo(404);
    }

    @Test
    void ordersOfDeletedCustomStyleEndInTheirVersionAlsoAfterRestart() throws Exception {
        String slow = like("request-reply", "slow")
                .replace(
                        "- to: direct:slow-ship\n",
                        "- delay: {constant: 4000}\n              - to: direct:slow-ship\n");
        hub.put("/flows/order-slow.camel.yaml", slow, "Content-Type", "application/yaml");
        assertThat(hub.post("/orders?style=slow", order("slow-1", "pm_card_visa"), "Prefer", "respond-async")
                        .status())
                .isEqualTo(202);
        await().until(() -> hub.get("/orders/slow-1").json().path("status").asText(), "PAID"::equals);

        hub.send("DELETE", "/flows/order-slow.camel.yaml", null).join();
        Answer later = hub.post("/orders?style=slow", order("slow-2", "pm_card_visa"));
        hub.close();
        start();

        assertThat(later.status()).isEqualTo(503);
        await().until(() -> hub.get("/orders/slow-1").json().path("status").asText(), "SHIPPED"::equals);
        assertThat(hub.get("/orders?style=slow").json().path("items")).hasSize(1);
    }

    @Test
    void subscriberOfUnknownStyleIsRefused() throws Exception {
        String text = like("pubsub", "other").replace("style: other", "style: othr");

        Answer refused = hub.put("/flows/order-other.camel.yaml", text, "Content-Type", "application/yaml");

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.json().at("/errors/0/message").asText()).contains("there is no style 'othr'");
        assertThatThrownBy(() -> TestHub.start(folder.resolve("other"), Map.of("hub.orders.style", "othr")))
                .hasMessageContaining("hub.orders.style=othr cannot be read: it must be one of request-reply");
    }
}
