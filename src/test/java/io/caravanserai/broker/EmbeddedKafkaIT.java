package io.caravanserai.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedKafkaIT {

    @TempDir
    Path folder;

    @Test
    void recordsSurviveRestartOnAnotherPort() throws Exception {
        Path data = folder.resolve("kafka");
        try (EmbeddedKafka broker = new EmbeddedKafka(data, 0)) {
            broker.start();
            send(broker.bootstrapServers(), "trial", "one", "two");
        }

        try (EmbeddedKafka broker = new EmbeddedKafka(data, 0)) {
            broker.start();
            send(broker.bootstrapServers(), "trial", "three");

            assertThat(receive(broker.bootstrapServers(), "trial", 3)).containsExactly("one", "two", "three");
            assertThat(broker.unavailableReason()).isEmpty();
        }
    }

    @Test
    void acknowledgedRecordsSurviveKilledProcess() throws Exception {
        Path data = folder.resolve("kafka");
        try (KafkaProcess broker = KafkaProcess.start(data, 0)) {
            send(broker.bootstrapServers(), "trial", "one", "two");
            broker.kill();
        }

        try (KafkaProcess broker = KafkaProcess.start(data, 0)) {
            assertThat(receive(broker.bootstrapServers(), "trial", 2)).containsExactly("one", "two");
        }
    }

    @Test
    void folderHalfFormattedByCrashIsFormattedAgain() throws Exception {
        Files.createDirectories(folder.resolve("kafka.forming/half"));

        try (EmbeddedKafka broker = new EmbeddedKafka(folder.resolve("kafka"), 0)) {
            broker.start();
            send(broker.bootstrapServers(), "trial", "one");

            assertThat(receive(broker.bootstrapServers(), "trial", 1)).containsExactly("one");
        }
    }

    @Test
    void folderWithFilesEmptiedByPowerCutIsFormattedAgain() throws Exception {
        Path data = folder.resolve("kafka");
        Files.createDirectories(data.resolve("__cluster_metadata-0"));
        Files.writeString(data.resolve("__cluster_metadata-0/00000000000000000000.log"), "no record of anybody");
        Files.createFile(data.resolve("meta.properties"));
        Files.createFile(data.resolve("bootstrap.checkpoint"));

        try (EmbeddedKafka broker = new EmbeddedKafka(data, 0)) {
            broker.start();
            send(broker.bootstrapServers(), "trial", "one");

            assertThat(receive(broker.bootstrapServers(), "trial", 1)).containsExactly("one");
        }
    }

    @Test
    void folderWithRecordsIsNeverFormattedAgain() throws Exception {
        Path data = folder.resolve("kafka");
        try (EmbeddedKafka broker = new EmbeddedKafka(data, 0)) {
            broker.start();
            send(broker.bootstrapServers(), "trial", "one");
        }
        Files.write(data.resolve("bootstrap.checkpoint"), new byte[0]);

        try (EmbeddedKafka broker = new EmbeddedKafka(data, 0)) {
            broker.start();
            assertThat(receive(broker.bootstrapServers(), "trial", 1)).containsExactly("one");
        }
        Files.write(data.resolve("meta.properties"), new byte[0]);

        try (EmbeddedKafka broker = new EmbeddedKafka(data, 0)) {
            assertThatThrownBy(broker::start)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("meta.properties")
                    .hasMessageContaining("hub.data.dir");
        }
    }

    @Test
    void haltedBrokerRestartsOnSamePort() throws Exception {
        Path data = folder.resolve("kafka");
        try (EmbeddedKafka broker = new EmbeddedKafka(data, 0)) {
            broker.start();
            int port = broker.port();
            send(broker.bootstrapServers(), "trial", "one");

            assertThatThrownBy(() -> Exit.halt(1, "all log dirs have failed")).hasMessageContaining("log dirs");

            assertThat(broker.unavailableReason()).isPresent();
            assertThat(broker.unavailableReason().orElseThrow()).contains("all log dirs have failed");
            await().until(() -> broker.unavailableReason().isEmpty());
            assertThat(broker.port()).isEqualTo(port);
            send(broker.bootstrapServers(), "trial", "two");
            assertThat(receive(broker.bootstrapServers(), "trial", 2)).containsExactly("one", "two");
        }
    }

    @Test
    void portInUseFailsStart() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                EmbeddedKafka broker = new EmbeddedKafka(folder.resolve("kafka"), taken.getLocalPort())) {
            assertThatThrownBy(broker::start).isInstanceOf(IOException.class).hasMessageContaining("in use");
        }
    }

    private static void send(String brokers, String topic, String... values) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers), new StringSerializer(), new StringSerializer())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(topic, value)).get();
            }
        }
    }

    private static List<String> receive(String brokers, String topic, int count) {
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", brokers, "group.id", "trial", "auto.offset.reset", "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            for (int polls = 0; values.size() < count && polls < 120; polls++) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    values.add(record.value());
                }
            }
        }
        return values;
    }
}
