package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventJson;
import io.caravanserai.event.EventType;
import io.caravanserai.event.EventVersions;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Style;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Events on the topic that no service of the hub has published, in the style where only the services check events. */
class ForgedEventsIT {
    private static final String FLOW = "order-choreography.camel.yaml";

    /** The payment takes long enough to forge events, and so does the shipment in the flow below. */
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "pm_slow_4000",
             "items": [{"sku": "%s", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "%s"}}
            """;

    private static final List<EventData> FORGED = List.of(
            new EventData.Failed(EventType.ReservationFailed, Reason.OUT_OF_STOCK),
            new EventData.Failed(EventType.PaymentFailed, Reason.PAYMENT_DECLINED),
            new EventData.Failed(EventType.ShippingFailed, Reason.SHIPPING_REFUSED),
            new EventData.Failed(EventType.OrderTimedOut, Reason.TIMED_OUT, OrderStatus.CREATED),
            new EventData.Failed(EventType.OrderTimedOut, Reason.TIMED_OUT, OrderStatus.RESERVED),
            new EventData.Failed(EventType.OrderTimedOut, Reason.TIMED_OUT, OrderStatus.PAID),
            new EventData.PaymentRefunded(new BigDecimal("50.00"), "EUR", "pay_forged"),
            new EventData.ItemsReleased());

    private static final int STOCK = 100;

    @TempDir
    static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        String flow = Files.readString(Path.of("src/main/resources/routes", FLOW));
        String slow = flow.replace("- to: direct:ship-order", """
                - delay: {asyncDelayed: true, expression: {constant: {expression: "4000"}}}
                        - to: direct:ship-order""");
        assertThat(slow).isNotEqualTo(flow);
        Files.writeString(routes.resolve(FLOW), slow);
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"RESERVED", "PAID"})
    void forgedEventDoesNotUndoRunningOrder(String status) throws Exception {
        String sku = stocked();
        Map<String, EventData> forged = ordersFor(sku, "NL", status);
        for (Map.Entry<String, EventData> each : forged.entrySet()) {
            tell(each.getKey(), each.getValue());
        }

        await().untilAsserted(() -> assertThat(forged.keySet())
                .allSatisfy(orderId -> assertThat(end(orderId)).isEqualTo("SHIPPED CAPTURED")));
        assertStock(sku, STOCK - forged.size(), forged.size());
    }

    @Test
    void forgedEventDoesNotStopCompensationOfOrder() throws Exception {
        String sku = stocked();
        Map<String, EventData> forged = ordersFor(sku, "AQ", "PAID");
        for (Map.Entry<String, EventData> each : forged.entrySet()) {
            hub.post("/orders/" + each.getKey() + "/cancel", "");
            tell(each.getKey(), each.getValue());
        }

        await().untilAsserted(() -> assertThat(forged.keySet())
                .allSatisfy(orderId -> assertThat(end(orderId)).isEqualTo("CANCELLED REFUNDED")));
        await().untilAsserted(() -> assertStock(sku, STOCK, 0));
    }

    private static String stocked() {
        String sku = "SKU-" + UUID.randomUUID();
        hub.put("/stock/" + sku, "{\"onHand\": " + STOCK + "}");
        return sku;
    }

    private static String posted(String sku, String country) {
        String orderId = "order-" + UUID.randomUUID();
        assertThat(hub.post(
                                "/orders?style=choreography",
                                ORDER.formatted(orderId, sku, country),
                                "Prefer",
                                "respond-async")
                        .status())
                .isEqualTo(202);
        return orderId;
    }

    /** Posts one order for each event to forge, and waits until all have the status. */
    private static Map<String, EventData> ordersFor(String sku, String country, String status) {
        Map<String, EventData> orders = new LinkedHashMap<>();
        FORGED.forEach(each -> orders.put(posted(sku, country), each));
        await().until(() ->
                orders.keySet().stream().allMatch(orderId -> status(orderId).equals(status)));
        return orders;
    }

    private static String status(String orderId) {
        return hub.get("/orders/" + orderId).json().path("status").asText();
    }

    private static String end(String orderId) {
        JsonNode payments = hub.get("/payments?orderId=" + orderId).json().path("items");
        return status(orderId) + ' ' + payments.path(0).path("status").asText();
    }

    private static void assertStock(String sku, int onHand, int shipped) {
        JsonNode stock = hub.get("/stock/" + sku).json();
        assertThat(List.of(
                        stock.path("onHand").asInt(),
                        stock.path("reserved").asInt(),
                        stock.path("shipped").asInt()))
                .containsExactly(onHand, 0, shipped);
    }

    private static void tell(String orderId, EventData data) throws JMSException {
        CloudEvent event = new CloudEvent(
                UUID.randomUUID().toString(),
                data.type(),
                EventVersions.newest(data.type()),
                orderId,
                Instant.now(),
                new EventContext(null, null, null, Style.CHOREOGRAPHY),
                EventJson.write(orderId, data).toString());
        try (Connection connection =
                new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort()).createConnection()) {
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            TextMessage message = session.createTextMessage(event.data());
            for (Map.Entry<String, String> attribute : event.attributes().entrySet()) {
                message.setStringProperty("cloudEvents_" + attribute.getKey(), attribute.getValue());
            }
            session.createProducer(session.createTopic("order-events")).send(message);
        }
    }
}
