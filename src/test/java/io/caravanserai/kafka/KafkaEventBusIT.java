package io.caravanserai.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;
import static org.awaitility.Awaitility.await;

import io.caravanserai.app.FreePort;
import io.caravanserai.broker.EmbeddedKafka;
import io.caravanserai.broker.KafkaProcess;
import io.caravanserai.bus.EventBus;
import io.caravanserai.bus.EventBusContract;
import io.caravanserai.bus.EventBusListener;
import io.caravanserai.bus.EventHandler;
import io.caravanserai.bus.HubName;
import io.caravanserai.bus.Retry;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventCodec;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventSchemas;
import io.caravanserai.event.EventType;
import io.caravanserai.store.SqliteStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KafkaEventBusIT {
    @TempDir
    Path folder;

    private final AtomicInteger ids = new AtomicInteger();
    private final List<AutoCloseable> opened = new CopyOnWriteArrayList<>();
    private SqliteStore store;
    private DeadLetters deadLetters;

    @BeforeEach
    void openStore() {
        store = SqliteStore.open(folder.resolve("store"));
        deadLetters = new DeadLetters(store, () -> "d-" + ids.incrementAndGet(), Clock.systemUTC());
    }

    @AfterEach
    void close() throws Exception {
        for (int last = opened.size() - 1; last >= 0; last--) {
            opened.get(last).close();
        }
        store.close();
    }

    @Test
    void noEventIsMissedWhenBrokersStartLater() throws Exception {
        int port = FreePort.take();
        KafkaEventBus bus = bus("127.0.0.1:" + port, "hub-a");
        List<String> heard = new CopyOnWriteArrayList<>();
        bus.subscribe("inventory", hears(heard));
        CompletableFuture<Void> published = bus.publish(List.of(event("o-1", 1)));
        assertThat(bus.unavailableReason())
                .hasValueSatisfying(why -> assertThat(why).contains("127.0.0.1:" + port));

        startBroker(folder.resolve("kafka"), port);

        published.get(120, TimeUnit.SECONDS);
        await().untilAsserted(() -> assertThat(heard).containsExactly("o-1/1"));
        await().untilAsserted(() -> assertThat(bus.unavailableReason()).isEmpty());
    }

    @Test
    void brokerKilledUnderLoadLosesAndReordersNoEvent() throws Exception {
        KafkaProcess[] broker = {KafkaProcess.start(folder.resolve("kafka"), FreePort.take())};
        opened.add(() -> broker[0].close());
        KafkaEventBus bus = bus(broker[0].bootstrapServers(), "hub-a");
        Map<String, List<Integer>> heard = new ConcurrentHashMap<>();
        bus.subscribe("inventory", event -> {
            heard.computeIfAbsent(event.orderId(), any -> new CopyOnWriteArrayList<>())
                    .add(number(event));
            return CompletableFuture.completedFuture(null);
        });
        int orders = 40;
        int perOrder = 100;
        CompletableFuture<Void> publishing = CompletableFuture.runAsync(() -> {
            for (int number = 1; number <= perOrder; number++) {
                List<CloudEvent> batch = new ArrayList<>();
                for (int order = 0; order < orders; order++) {
                    batch.add(event("o-" + order, number));
                }
                publishUntilSent(bus, batch);
            }
        });
        Random random = new Random(11);
        for (int kill = 0; kill < 3; kill++) {
            int reached = (kill + 1) * 20 + random.nextInt(5);
            await().until(() -> heard.getOrDefault("o-0", List.of()).contains(reached));
            int port = broker[0].port();
            broker[0].kill();
            broker[0] = KafkaProcess.start(folder.resolve("kafka"), port);
        }
        publishing.get(300, TimeUnit.SECONDS);

        List<Integer> all = IntStream.rangeClosed(1, perOrder).boxed().toList();
        await().untilAsserted(() -> assertThat(heard.values())
                .hasSize(orders)
                .allSatisfy(numbers -> assertThat(withoutRepeats(numbers)).isEqualTo(all)));
    }

    @Test
    void uncommittedEventsOfStoppedHubAreRedelivered() throws Exception {
        EmbeddedKafka broker = startBroker(folder.resolve("kafka"), 0);
        KafkaEventBus first = bus(broker.bootstrapServers(), "hub-a");
        Set<String> heardByFirst = ConcurrentHashMap.newKeySet();
        // The first hub handles the events of one order and never completes the event of the other, as if killed.
        first.subscribe("inventory", event -> {
            heardByFirst.add(event.id());
            return event.orderId().equals("o-1") ? CompletableFuture.completedFuture(null) : new CompletableFuture<>();
        });
        first.publish(List.of(event("o-1", 1), event("o-2", 1))).get(120, TimeUnit.SECONDS);
        await().until(() -> heardByFirst.size() == 2);

        KafkaEventBus second = bus(broker.bootstrapServers(), "hub-b");
        List<String> heard = new CopyOnWriteArrayList<>();
        second.subscribe("inventory", hears(heard));
        first.close();

        await().untilAsserted(() -> assertThat(heard).contains("o-2/1"));
    }

    @Test
    void invalidEventBecomesDeadLetterAndLaterEventsAreDelivered() throws Exception {
        EmbeddedKafka broker = startBroker(folder.resolve("kafka"), 0);
        KafkaEventBus bus = bus(broker.bootstrapServers(), "hub-a");
        List<String> heard = new CopyOnWriteArrayList<>();
        bus.subscribe("inventory", hears(heard));
        bus.publish(List.of(event("o-1", 1))).get(120, TimeUnit.SECONDS);
        try (KafkaProducer<String, String> other = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.bootstrapServers()),
                new StringSerializer(),
                new StringSerializer())) {
            other.send(new ProducerRecord<>("order-events", "o-1", null)).get();
            other.send(new ProducerRecord<>("order-events", "o-1", "no event")).get();
        }

        bus.publish(List.of(event("o-1", 2))).get(120, TimeUnit.SECONDS);

        await().untilAsserted(() -> assertThat(heard).containsExactly("o-1/1", "o-1/2"));
        await().untilAsserted(() -> assertThat(
                        deadLetters.list(DeadLetters.Filter.ALL, null, 10).get())
                .extracting(DeadLetter::source, DeadLetter::reason)
                .containsExactly(tuple("order-events", "invalid-event"), tuple("order-events", "invalid-event")));
    }

    @Test
    void eventIsCloudEventInBinaryMode() throws Exception {
        ProducerRecord<byte[], byte[]> record =
                KafkaCloudEvents.write("order-events", event("o-1", 1), HubName.DEFAULT);

        assertThat(record.key()).isEqualTo("o-1".getBytes(StandardCharsets.UTF_8));
        assertThat(record.headers())
                .extracting(header -> header.key() + "=" + new String(header.value(), StandardCharsets.UTF_8))
                .contains(
                        "ce_specversion=1.0",
                        "ce_id=e-1-o-1",
                        "ce_source=/orders",
                        "ce_type=OrderShipped",
                        "ce_subject=o-1",
                        "ce_dataschema=/schemas/OrderShipped/v1",
                        "ce_sagaid=s-1",
                        "content-type=application/json");
    }

    private KafkaEventBus bus(String brokers, String member) {
        KafkaConnection link =
                new KafkaConnection(brokers, member, List.of(KafkaTopic.ORDER_EVENTS, KafkaTopic.DEAD_LETTERS));
        link.start();
        KafkaDeadLetters kafkaLetters = new KafkaDeadLetters(deadLetters, link);
        KafkaEventBus bus = new KafkaEventBus(
                link,
                HubName.DEFAULT,
                new EventCodec(new EventSchemas(), Map.of()),
                new Retry(3, Duration.ofMillis(10), Duration.ofMillis(50)),
                kafkaLetters,
                new EventBusListener() {},
                EventBusContract.ALL_RECORDED);
        opened.add(link);
        opened.add(kafkaLetters);
        opened.add(bus);
        return bus;
    }

    private EmbeddedKafka startBroker(Path data, int port) throws IOException {
        EmbeddedKafka broker = new EmbeddedKafka(data, port);
        broker.start();
        opened.add(0, broker);
        return broker;
    }

    private static void publishUntilSent(EventBus bus, List<CloudEvent> batch) {
        boolean sent = false;
        while (!sent) {
            sent = bus.publish(batch)
                    .handle((nothing, failure) -> failure == null)
                    .join();
        }
    }

    private static EventHandler hears(List<String> heard) {
        return event -> {
            heard.add(event.orderId() + "/" + number(event));
            return CompletableFuture.completedFuture(null);
        };
    }

    private static List<Integer> withoutRepeats(List<Integer> numbers) {
        return numbers.stream().distinct().toList();
    }

    private static int number(CloudEvent event) {
        return Integer.parseInt(event.id().split("-")[1]);
    }

    private static CloudEvent event(String orderId, int number) {
        return new CloudEvent(
                "e-" + number + "-" + orderId,
                EventType.OrderShipped,
                1,
                orderId,
                Instant.parse("2026-01-01T00:00:00Z"),
                new EventContext("s-1", null, null),
                "{\"orderId\":\"" + orderId + "\",\"trackingNumber\":\"T-" + number + "\"}");
    }
}
