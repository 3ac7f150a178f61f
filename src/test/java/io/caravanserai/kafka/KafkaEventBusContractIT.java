package io.caravanserai.kafka;

import io.caravanserai.broker.EmbeddedKafka;
import io.caravanserai.bus.EventBus;
import io.caravanserai.bus.EventBusContract;
import io.caravanserai.bus.EventBusListener;
import io.caravanserai.bus.HubName;
import io.caravanserai.bus.Retry;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.EventCodec;
import io.caravanserai.event.EventSchemas;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.support.Ids;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

class KafkaEventBusContractIT extends EventBusContract {
    @TempDir
    static Path folder;

    private static final AtomicInteger HUBS = new AtomicInteger();
    private static final List<KafkaConnection> links = new CopyOnWriteArrayList<>();
    private static EmbeddedKafka broker;
    private static KafkaConnection link;
    private static Store store;
    private static DeadLetters letters;
    private static KafkaDeadLetters kafkaLetters;
    private static RecordSender raw;

    @BeforeAll
    static void start() throws Exception {
        broker = new EmbeddedKafka(folder.resolve("kafka"), 0);
        broker.start();
        link = link();
        store = SqliteStore.open(folder.resolve("store"));
        letters = new DeadLetters(store, new Ids(), Clock.systemUTC());
        kafkaLetters = new KafkaDeadLetters(letters, link);
        raw = new RecordSender(link, "raw");
    }

    @AfterAll
    static void stop() {
        raw.close();
        kafkaLetters.close();
        links.forEach(KafkaConnection::close);
        links.clear();
        store.close();
        broker.close();
    }

    private static KafkaConnection link() {
        KafkaConnection made = new KafkaConnection(
                broker.bootstrapServers(),
                "hub-" + HUBS.incrementAndGet(),
                List.of(KafkaTopic.ORDER_EVENTS, KafkaTopic.DEAD_LETTERS));
        links.add(made);
        made.start();
        return made;
    }

    @Override
    protected EventBus open(Retry retry) {
        KafkaConnection reached = link();
        reached.ready().join();
        return new KafkaEventBus(
                reached,
                HubName.DEFAULT,
                new EventCodec(new EventSchemas(), Map.of()),
                retry,
                kafkaLetters,
                new EventBusListener() {},
                EventBusContract.ALL_RECORDED);
    }

    @Override
    protected DeadLetters deadLetters() {
        return letters;
    }

    @Override
    protected void sendRaw(Map<String, String> attributes, String data) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>("order-events", null, data.getBytes(StandardCharsets.UTF_8));
        attributes.forEach((name, value) -> record.headers().add("ce_" + name, value.getBytes(StandardCharsets.UTF_8)));
        raw.send(List.of(record)).join();
    }
}
