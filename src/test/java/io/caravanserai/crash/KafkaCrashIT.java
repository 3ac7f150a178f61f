package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.FreePort;
import io.caravanserai.broker.KafkaProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kafka carries orders and events; the hub, the broker or both are killed. {@code -Dcrash.seed=} repeats the choices,
 * {@code -Dcrash.kills=} sets the number of kills.
 */
class KafkaCrashIT {
    private static final long SEED = Long.getLong("crash.seed", System.nanoTime() & 0xffffff);
    private static final int KILLS = Integer.getInteger("crash.kills", 3);
    private static final Map<String, Long> STOCK = Map.of(TestOrder.PLENTY, 1_000_000L, TestOrder.SCARCE, 20L);
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    @TempDir
    Path folder;

    private Path brokerData;
    private KafkaProcess broker;

    @Test
    void ordersFromTopicEndAsPromisedWithAllEventsInTopicAfterKills() throws Exception {
        System.out.println("crash.seed=" + SEED);
        Random choice = new Random(SEED);
        brokerData = folder.resolve("kafka");
        broker = KafkaProcess.start(brokerData, FreePort.take());
        try (HubProcess hub = new HubProcess(Distribution.built(), folder.resolve("hub/data"))
                .set("hub.kafka.brokers", broker.bootstrapServers())
                .set("hub.events.bus", "kafka")
                .set("hub.saga.timeout", "1h")) {
            hub.start().awaitReady();
            Rest rest = new Rest(hub.url());
            STOCK.forEach((sku, onHand) -> put(rest, sku, onHand));
            KafkaCustomers customers = new KafkaCustomers(broker.bootstrapServers(), SEED).start();
            for (int kill = 0; kill < KILLS; kill++) {
                customers.awaitMore(choice.nextInt(100));
                TimeUnit.MILLISECONDS.sleep(choice.nextInt(1_000));
                kill(kill % 3, hub);
            }
            customers.awaitMore(20);
            hub.awaitReady();
            customers.close();
            check(rest, customers);
        } finally {
            broker.close();
        }
    }

    private void kill(int which, HubProcess hub) throws IOException {
        boolean ofHub = which != 1;
        if (which != 0) {
            broker.kill();
        }
        if (ofHub) {
            hub.kill9();
            hub.start();
        }
        if (which != 0) {
            broker = KafkaProcess.start(brokerData, broker.port());
        }
    }

    private void check(Rest rest, KafkaCustomers customers) throws IOException {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(ids(rest)).containsAll(customers.acknowledged()));
        Promises promises = new Promises(rest);
        promises.awaitEnds(PATIENCE);
        promises.check(customers.sent(), customers.acknowledged(), STOCK);
        assertThat(rest.all("/dead-letters")).isEmpty();

        List<JsonNode> log = log(rest);
        assertThat(log)
                .as("no gap in the log")
                .extracting(event -> event.path("sequence").asLong())
                .isEqualTo(LongStream.rangeClosed(1, log.size()).boxed().toList());
        Map<String, List<String>> logged = new HashMap<>();
        log.forEach(event -> logged.computeIfAbsent(event.path("subject").asText(), any -> new ArrayList<>())
                .add(event.path("id").asText()));
        Map<String, List<String>> wire = new HashMap<>();
        int[] records = {0};
        await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> {
            records[0] = read(wire);
            assertThat(withoutRepeats(wire)).isEqualTo(logged);
        });
        System.out.printf(
                "%d kills: %d orders acknowledged by Kafka, all as promised; %d events in the log, all in the topic (%d records)%n",
                KILLS, customers.acknowledged().size(), log.size(), records[0]);
    }

    private static Set<String> ids(Rest rest) throws IOException {
        Set<String> ids = new LinkedHashSet<>();
        rest.all("/orders").forEach(order -> ids.add(order.path("orderId").asText()));
        return ids;
    }

    private static void put(Rest rest, String sku, long onHand) {
        try {
            rest.put("/stock/" + sku, "{\"onHand\": " + onHand + "}");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static List<JsonNode> log(Rest rest) throws IOException {
        List<JsonNode> log = new ArrayList<>();
        JsonNode page;
        do {
            long after =
                    log.isEmpty() ? 0 : log.get(log.size() - 1).path("sequence").asLong();
            page = rest.get("/events?limit=200&after=" + after).body().path("items");
            page.forEach(log::add);
        } while (!page.isEmpty());
        return log;
    }

    /** Reads the whole topic into event ids by key, in order; returns the number of records. */
    private int read(Map<String, List<String>> wire) {
        wire.clear();
        int count = 0;
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", broker.bootstrapServers()),
                new StringDeserializer(),
                new StringDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor("order-events").stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.get(each))) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
                    String id = new String(record.headers().lastHeader("ce_id").value(), StandardCharsets.UTF_8);
                    wire.computeIfAbsent(record.key(), any -> new ArrayList<>()).add(id);
                    count++;
                }
            }
        }
        return count;
    }

    private static Map<String, List<String>> withoutRepeats(Map<String, List<String>> wire) {
        Map<String, List<String>> once = new HashMap<>();
        wire.forEach((order, ids) -> once.put(order, ids.stream().distinct().toList()));
        return once;
    }
}
