package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.broker.KafkaProcess;
import io.caravanserai.config.SettingsReader;
import io.caravanserai.order.OrderJson;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many orders wait in Kafka while the hub is stopped, and the brokers start only after the hub.
 * {@code -Dbacklog=100000} for more orders.
 */
class KafkaBacklogIT {
    private static final int BACKLOG = Integer.getInteger("backlog", 3_000);
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    Path folder;

    @Test
    void backlogIsProcessedCompletelyInBoundedMemory() throws Exception {
        Path data = folder.resolve("kafka");
        int kafkaPort;
        try (KafkaProcess broker = KafkaProcess.start(data, FreePort.take())) {
            kafkaPort = broker.port();
            fill(broker.bootstrapServers());
        }
        Hub hub = Hub.start(new SettingsReader(
                        Map.of(),
                        Map.of(
                                "hub.data.dir",
                                folder.resolve("hub").toString(),
                                "hub.saga.timeout",
                                "1h",
                                "hub.http.port",
                                "0",
                                "hub.jms.port",
                                "0",
                                "hub.kafka.brokers",
                                "127.0.0.1:" + kafkaPort))
                .read()
                .settings());
        try {
            send(hub, "PUT", "/stock/SADDLE-01", "{\"onHand\": " + BACKLOG + "}");
            assertThat(send(hub, "GET", "/observe/health/ready", null).statusCode())
                    .isEqualTo(503);

            try (KafkaProcess broker = KafkaProcess.start(data, kafkaPort)) {
                long begun = System.nanoTime();
                long[] most = {0};
                await().atMost(Duration.ofSeconds(120 + BACKLOG / 10))
                        .pollInterval(Duration.ofMillis(500))
                        .until(() -> {
                            most[0] = Math.max(most[0], heapAfterCollection());
                            return stock(hub).path("shipped").asInt() == BACKLOG;
                        });
                double seconds = (System.nanoTime() - begun) / 1e9;

                System.out.printf(
                        "%d orders of a backlog in %.1f s: %.0f/s; heap after collections at most %d MiB%n",
                        BACKLOG, seconds, BACKLOG / seconds, most[0] >> 20);
                assertThat(stock(hub).path("onHand").asInt()).isZero();
                assertThat(stock(hub).path("reserved").asInt()).isZero();
                assertThat(most[0]).isLessThan(400L << 20);
                assertThat(OrderJson.MAPPER
                                .readTree(
                                        send(hub, "GET", "/dead-letters", null).body())
                                .path("items"))
                        .isEmpty();
                assertThat(broker.port()).isEqualTo(kafkaPort);
            }
        } finally {
            hub.close();
        }
    }

    private static void fill(String brokers) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
            admin.createTopics(List.of(new NewTopic("orders", Optional.of(8), Optional.empty())))
                    .all()
                    .get();
        }
        // With more requests in flight, a leader that is ready only for the second request refuses the first request.
        Map<String, Object> settings = Map.of("bootstrap.servers", brokers, "max.in.flight.requests.per.connection", 1);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            for (int number = 0; number < BACKLOG; number++) {
                sent.add(producer.send(new ProducerRecord<>("orders", "B-" + number, order("B-" + number))));
            }
            for (Future<?> each : sent) {
                each.get();
            }
        }
    }

    private static String order(String id) {
        return """
                {"orderId": "%s", "customerId": "C-1", "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 5.00}],
                 "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}""".formatted(id);
    }

    private static JsonNode stock(Hub hub) throws Exception {
        return OrderJson.MAPPER.readTree(
                send(hub, "GET", "/stock/SADDLE-01", null).body());
    }

    private static HttpResponse<String> send(Hub hub, String method, String path, String body) throws Exception {
        return HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + hub.port() + path))
                        .method(
                                method,
                                body == null
                                        ? HttpRequest.BodyPublishers.noBody()
                                        : HttpRequest.BodyPublishers.ofString(body))
                        .header("Content-Type", "application/json")
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static long heapAfterCollection() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP && pool.getCollectionUsage() != null)
                .map(MemoryPoolMXBean::getCollectionUsage)
                .mapToLong(usage -> usage.getUsed())
                .sum();
    }
}
