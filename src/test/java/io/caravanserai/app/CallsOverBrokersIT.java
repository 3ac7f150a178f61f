package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.broker.ArtemisProcess;
import io.caravanserai.broker.KafkaProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The broker for calls is unavailable: the order waits, and is meanwhile neither shipped nor cancelled. */
class CallsOverBrokersIT {
    private static final String FILE = "order-request-reply.camel.yaml";
    /** Longer than all attempts of a flow together. */
    private static final Duration AWAY = Duration.ofSeconds(8);

    @TempDir
    private Path folder;

    @Test
    void orderWaitsForKafka() throws Exception {
        KafkaProcess kafka = KafkaProcess.start(folder.resolve("kafka"), FreePort.take());
        try (TestHub hub = TestHub.start(
                folder.resolve("data"),
                Map.of(
                        "hub.routes.dir",
                        PaymentOutside.copyOfRoutes(folder).toString(),
                        "hub.kafka.brokers",
                        kafka.bootstrapServers()))) {
            hub.put("/stock/BELL", "{\"onHand\": 1000}");
            String told = shipped().replace("- to: direct:ship-order", """
                    - to:
                                      uri: kamelet:kafka-send
                                      parameters:
                                        topic: warehouse
                                        timeout: 1000
                                        step: ship-order
                                  - to: direct:ship-order""");
            put(hub, FILE, told);
            assertThat(post(hub, "before").status()).isEqualTo(201);
            assertThat(hub.post("/flows/" + FILE + "/try", told + "\n# harmless\n", "Content-Type", "application/yaml"))
                    .satisfies(
                            tried -> assertThat(tried.status()).as(tried.body()).isEqualTo(200))
                    .satisfies(tried ->
                            assertThat(tried.json().path("changed").asInt()).isZero());
            onlyListedHeadersWentOut(kafka);

            kafka.kill();
            post(hub, "meanwhile", "Prefer", "respond-async");

            rests(hub, "meanwhile", "PAID");
            kafka = KafkaProcess.start(folder.resolve("kafka"), kafka.port());
            ships(hub, "meanwhile");
        } finally {
            kafka.close();
        }
    }

    @Test
    void orderWaitsForBrokerOfService() throws Exception {
        int port = FreePort.take();
        ArtemisProcess broker = ArtemisProcess.start(folder.resolve("artemis"), port);
        try (TestHub hub = TestHub.start(
                folder.resolve("data"),
                Map.of(
                        "hub.routes.dir",
                        PaymentOutside.copyOfRoutes(folder).toString(),
                        "hub.jms.url",
                        "tcp://127.0.0.1:" + port))) {
            hub.put("/stock/BELL", "{\"onHand\": 1000}");
            put(hub, "service.camel.yaml", """
                    - route:
                        id: service
                        from:
                          uri: jms:queue:charges
                          steps:
                            - setBody:
                                constant: taken
                    """);
            put(hub, FILE, shipped().replace("- to: direct:process-payment", """
                    - to:
                                      uri: kamelet:jms-call
                                      parameters:
                                        queue: charges
                                        step: charge
                                  - to: direct:process-payment"""));
            assertThat(post(hub, "before").status()).isEqualTo(201);

            broker.kill();
            post(hub, "meanwhile", "Prefer", "respond-async");

            rests(hub, "meanwhile", "RESERVED");
            broker = ArtemisProcess.start(folder.resolve("artemis"), port);
            ships(hub, "meanwhile");

            broker.freeze();
            post(hub, "frozen", "Prefer", "respond-async");
            rests(hub, "frozen", "RESERVED");
            broker.thaw();
            ships(hub, "frozen");
        } finally {
            broker.close();
        }
    }

    private static void onlyListedHeadersWentOut(KafkaProcess kafka) {
        Map<String, Object> settings =
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest");
        StringDeserializer text = new StringDeserializer();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings, text, text)) {
            consumer.assign(List.of(new TopicPartition("warehouse", 0)));
            ConsumerRecord<String, String> record = await().until(
                            () -> consumer.poll(Duration.ofMillis(200)).iterator(), Iterator::hasNext)
                    .next();
            assertThat(record.key()).isEqualTo("before");
            assertThat(record.headers())
                    .extracting(Header::key)
                    .containsExactlyInAnyOrder("Idempotency-Key", "Content-Type", "orderId");
        }
    }

    private static String shipped() throws Exception {
        return Files.readString(Path.of("src/main/resources/routes", FILE));
    }

    private static void put(TestHub hub, String file, String text) {
        TestHub.Answer put = hub.put("/flows/" + file, text, "Content-Type", "application/yaml");
        assertThat(put.status()).as(put.body()).isIn(200, 201);
    }

    private static TestHub.Answer post(TestHub hub, String id, String... headers) {
        return hub.post("/orders", KafkaHub.order(id, "pm_card_visa").replace("SADDLE-01", "BELL"), headers);
    }

    private static void rests(TestHub hub, String id, String status) {
        await().until(() -> status(hub, id).equals(status));
        await().during(AWAY)
                .atMost(AWAY.multipliedBy(4))
                .until(() -> status(hub, id).equals(status));
    }

    private static void ships(TestHub hub, String id) {
        await().untilAsserted(() ->
                assertThat(status(hub, id)).as(hub.get("/orders/" + id).body()).isEqualTo("SHIPPED"));
    }

    private static String status(TestHub hub, String id) {
        return hub.get("/orders/" + id).json().path("status").asText();
    }
}
