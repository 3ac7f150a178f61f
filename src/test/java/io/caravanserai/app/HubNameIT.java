package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.order.Style;
import jakarta.jms.Connection;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hubs with separate stores on one JMS broker or one Kafka cluster. */
class HubNameIT {
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "currency": "EUR", "paymentMethod": "pm_card_visa",
             "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}], "shippingAddress": {"country": "NL"}}
            """;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"jms", "kafka"})
    void hubsWithDifferentNamesShareOnlyIngressQueues(String bus) throws Exception {
        try (TestHub one = first(bus);
                TestHub other = beside(one, bus, "east")) {
            List<String> ofOne = post(one, "one");
            List<String> ofOther = post(other, "other");
            List<String> byJms = sendByJms(one);

            ofOne.forEach(order -> awaitShipped(one, order));
            ofOther.forEach(order -> awaitShipped(other, order));
            for (String order : byJms) {
                await().untilAsserted(() -> assertThat(Stream.of(one, other).map(hub -> status(hub, order)))
                        .containsExactlyInAnyOrder("SHIPPED", ""));
            }
            for (TestHub hub : List.of(one, other)) {
                assertThat(hub.get("/dead-letters").json().path("items")).isEmpty();
                assertThat(check(hub, "name")).isEqualTo("UP");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"jms", "kafka"})
    void twoStoresWithSameHubNameAreReported(String bus) throws Exception {
        try (TestHub one = first(bus)) {
            assertThat(check(one, "name")).isEqualTo("UP");
            Map<String, String> own = bus.equals("kafka") ? Map.of("hub.jms.url", "embedded") : Map.of();
            try (TestHub other = beside(one, bus, "hub", own)) {
                for (TestHub hub : List.of(one, other)) {
                    await().untilAsserted(() -> assertThat(check(hub, "name")).isEqualTo("DOWN"));
                    TestHub.Answer ready = hub.get("/observe/health/ready");
                    assertThat(ready.status()).isEqualTo(503);
                    assertThat(ready.body()).contains("hub.name");
                }
            }
            await().untilAsserted(() -> assertThat(check(one, "name")).isEqualTo("UP"));
        }
    }

    private TestHub first(String bus) throws Exception {
        Map<String, String> settings = new HashMap<>(Map.of("hub.events.bus", bus));
        if (bus.equals("kafka")) {
            settings.putAll(Map.of("hub.kafka.brokers", "embedded", "hub.kafka.port", "0"));
        }
        return TestHub.start(folder.resolve("one"), settings);
    }

    private TestHub beside(TestHub first, String bus, String name) throws Exception {
        return beside(first, bus, name, Map.of());
    }

    private TestHub beside(TestHub first, String bus, String name, Map<String, String> more) throws Exception {
        Map<String, String> settings = new HashMap<>(
                Map.of("hub.name", name, "hub.events.bus", bus, "hub.jms.url", "tcp://127.0.0.1:" + first.jmsPort()));
        if (bus.equals("kafka")) {
            settings.put("hub.kafka.brokers", first.kafkaBrokers());
        }
        settings.putAll(more);
        return TestHub.start(folder.resolve("other"), settings);
    }

    private static List<String> post(TestHub hub, String prefix) {
        List<String> orders = new ArrayList<>();
        for (Style style : Style.values()) {
            for (int i = 0; i < 4; i++) {
                String order = prefix + "-" + style.wire() + "-" + i;
                assertThat(hub.post("/orders?style=" + style.wire(), ORDER.formatted(order), "Prefer", "respond-async")
                                .status())
                        .isEqualTo(202);
                orders.add(order);
            }
        }
        return orders;
    }

    private static List<String> sendByJms(TestHub hub) throws Exception {
        List<String> orders = new ArrayList<>();
        try (Connection connection =
                        new ActiveMQConnectionFactory("tcp://127.0.0.1:" + hub.jmsPort()).createConnection();
                Session session = connection.createSession();
                MessageProducer producer = session.createProducer(session.createQueue("orders"))) {
            for (int i = 0; i < 10; i++) {
                orders.add("shared-" + i);
                producer.send(session.createTextMessage(ORDER.formatted("shared-" + i)));
            }
        }
        return orders;
    }

    private static void awaitShipped(TestHub hub, String order) {
        await().untilAsserted(() -> assertThat(status(hub, order)).isEqualTo("SHIPPED"));
    }

    private static String status(TestHub hub, String order) {
        return hub.get("/orders/" + order).json().path("status").asText().replace("404", "");
    }

    private static String check(TestHub hub, String name) {
        return StreamSupport.stream(
                        hub.get("/observe/health/ready").json().path("checks").spliterator(), false)
                .filter(check -> check.path("name").asText().equals(name))
                .map(check -> check.path("status").asText())
                .findFirst()
                .orElse("absent");
    }
}
