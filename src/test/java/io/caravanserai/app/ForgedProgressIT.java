package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.bus.HubName;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventJson;
import io.caravanserai.event.EventType;
import io.caravanserai.event.EventVersions;
import io.caravanserai.kafka.KafkaCloudEvents;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Style;
import io.caravanserai.outbox.RecordedEvents;
import jakarta.jms.Connection;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Events that an outside sender publishes on the topic, over both buses, in the event-driven styles. */
class ForgedProgressIT {
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "%s",
             "items": [{"sku": "%s", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}
            """;

    /** The payment takes long enough for the forged events to arrive first, also on a slow machine. */
    private static final String SLOW = "pm_slow_4000";

    private static final List<EventData> FORGED = List.of(
            new EventData.ItemsReserved(),
            new EventData.PaymentProcessed(new BigDecimal("50.00"), "EUR", "pay_forged"),
            new EventData.OrderShipped("trk_forged"),
            new EventData.OrderCancelled(Reason.OUT_OF_STOCK),
            new EventData.ItemsReleased(),
            new EventData.Failed(EventType.ReservationFailed, Reason.OUT_OF_STOCK),
            new EventData.Failed(EventType.PaymentFailed, Reason.PAYMENT_DECLINED),
            new EventData.Failed(EventType.ShippingFailed, Reason.SHIPPING_REFUSED),
            new EventData.Failed(EventType.OrderTimedOut, Reason.TIMED_OUT, OrderStatus.RESERVED));

    @TempDir
    private Path folder;

    private TestHub hub;
    private boolean overKafka;

    @ParameterizedTest
    @ValueSource(strings = {"jms", "kafka"})
    void onlyRecordedEventsAdvanceAnOrder(String bus) throws Exception {
        overKafka = bus.equals("kafka");
        Map<String, String> settings = new HashMap<>(Map.of("hub.events.bus", bus));
        if (overKafka) {
            settings.putAll(Map.of("hub.kafka.brokers", "embedded", "hub.kafka.port", "0"));
        }
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        Logger logger = (Logger) LoggerFactory.getLogger(RecordedEvents.class);
        logger.addAppender(log);
        hub = TestHub.start(folder, settings);
        try {
            hub.put("/stock/FORGED", "{\"onHand\": 1000}");
            for (Style style : List.of(Style.PUBSUB, Style.CHOREOGRAPHY)) {
                forgeFor(style);
            }
            assertThat(hub.get("/dead-letters").json().path("items")).isEmpty();
            assertNobodyWasNotifiedOfForgedEvents();
            assertThat(log.list).isNotEmpty();
            assertThat(log.list.stream().map(line -> line.getKeyValuePairs().toString()))
                    .doesNotHaveDuplicates();
        } finally {
            logger.detachAppender(log);
            hub.close();
        }
    }

    private void forgeFor(Style style) throws Exception {
        String refused = post(style, "pm_card_visa", "NOWHERE");
        await().until(() -> status(refused).equals("CANCELLED"));
        List<String> orders = new ArrayList<>();
        for (int i = 0; i < FORGED.size() + 3; i++) {
            orders.add(post(style, SLOW, "FORGED"));
        }
        await().until(() -> orders.stream().allMatch(order -> status(order).equals("RESERVED")));

        for (int i = 0; i < FORGED.size(); i++) {
            publish(event(UUID.randomUUID().toString(), orders.get(i), sagaOf(orders.get(i)), style, FORGED.get(i)));
        }
        String own = orders.get(FORGED.size());
        EventData failure = new EventData.Failed(EventType.PaymentFailed, Reason.PAYMENT_DECLINED);
        EventData noStock = new EventData.Failed(EventType.ReservationFailed, Reason.UNKNOWN_SKU);
        // A recorded event with another type; with another order; and with the saga of another order.
        publish(event(recorded(own, EventType.ItemsReserved), own, sagaOf(own), style, failure));
        String other = orders.get(FORGED.size() + 1);
        publish(event(recorded(refused, EventType.ReservationFailed), other, sagaOf(other), style, noStock));
        String joined = orders.get(FORGED.size() + 2);
        publish(event(recorded(refused, EventType.ReservationFailed), refused, sagaOf(joined), style, noStock));
        publish(event(UUID.randomUUID().toString(), "nobodys", null, style, FORGED.get(2)));

        for (String order : orders) {
            await().untilAsserted(() -> assertThat(status(order)).isEqualTo("SHIPPED"));
            List<String> happened = StreamSupport.stream(
                            hub.get("/events?orderId=" + order)
                                    .json()
                                    .path("items")
                                    .spliterator(),
                            false)
                    .map(each -> each.path("type").asText())
                    .toList();
            assertThat(happened).containsExactly("OrderCreated", "ItemsReserved", "PaymentProcessed", "OrderShipped");
            JsonNode payments = hub.get("/payments?orderId=" + order).json().path("items");
            assertThat(payments).hasSize(1);
            assertThat(payments.path(0).path("status").asText()).isEqualTo("CAPTURED");
        }
        assertThat(status(refused)).isEqualTo("CANCELLED");
    }

    /** Each shipped or cancelled order has two messages; an unknown order has none. */
    private void assertNobodyWasNotifiedOfForgedEvents() throws Exception {
        Path file = folder.resolve("notifications.jsonl");
        int orders = 2 * (FORGED.size() + 4);
        await().untilAsserted(() -> assertThat(Files.readAllLines(file)).hasSizeGreaterThanOrEqualTo(2 * orders));
        assertThat(Files.readAllLines(file)).hasSize(2 * orders);
        assertThat(Files.readString(file)).doesNotContain("nobodys").doesNotContain("trk_forged");
        await().untilAsserted(() -> assertThat(hub.get("/analytics").body()).doesNotContain("nobodys"));
    }

    private String post(Style style, String paymentMethod, String sku) {
        String orderId = "order-" + UUID.randomUUID();
        String order = ORDER.formatted(orderId, paymentMethod, sku);
        assertThat(hub.post("/orders?style=" + style.wire(), order, "Prefer", "respond-async")
                        .status())
                .isEqualTo(202);
        return orderId;
    }

    private String status(String orderId) {
        return hub.get("/orders/" + orderId).json().path("status").asText();
    }

    private String sagaOf(String orderId) {
        return hub.get("/orders/" + orderId).json().path("sagaId").asText(null);
    }

    private String recorded(String orderId, EventType type) {
        return StreamSupport.stream(
                        hub.get("/events?orderId=" + orderId)
                                .json()
                                .path("items")
                                .spliterator(),
                        false)
                .filter(each -> each.path("type").asText().equals(type.name()))
                .map(each -> each.path("id").asText())
                .findFirst()
                .orElseThrow();
    }

    private static CloudEvent event(String id, String orderId, String sagaId, Style style, EventData data) {
        return new CloudEvent(
                id,
                data.type(),
                EventVersions.newest(data.type()),
                orderId,
                Instant.now(),
                new EventContext(sagaId, null, null, style),
                EventJson.write(orderId, data).toString());
    }

    private void publish(CloudEvent event) throws Exception {
        if (overKafka) {
            try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                    Map.of("bootstrap.servers", hub.kafkaBrokers()),
                    new ByteArraySerializer(),
                    new ByteArraySerializer())) {
                producer.send(KafkaCloudEvents.write("order-events", event, HubName.DEFAULT))
                        .get();
            }
            return;
        }
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
