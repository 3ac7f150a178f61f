package io.caravanserai.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedKafkaIT {

    @TempDir
    Path folder;

    @Test
    void whatWasSentIsThereAfterAStopAndAStartOnAnotherPort() throws Exception {
        Path data = folder.resolve("kafka");
        try (EmbeddedKafka broker = new EmbeddedKafka(data, 0)) {
            broker.start();
            send(broker.bootstrapServers(), "trial", "one", "two");
        }

        try (EmbeddedKafka broker = new EmbeddedKafka(data, 0)) {
            broker.start();
            send(broker.bootstrapServers(), "trial", "three");

            assertThat(receive(broker.bootstrapServers(), "trial", 3)).containsExactly("one", "two", "three");
            assertThat(broker.trouble()).isEmpty();
        }
    }

    @Test
    void whatWasAcknowledgedIsThereAfterTheProcessWasKilled() throws Exception {
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
    void aFolderThatWasBeingFormattedWhenTheProcessDiedIsFormattedAgain() throws Exception {
        Files.createDirectories(folder.resolve("kafka.forming/half"));

        try (EmbeddedKafka broker = new EmbeddedKafka(folder.resolve("kafka"), 0)) {
            broker.start();
            send(broker.bootstrapServers(), "trial", "one");

            assertThat(receive(broker.bootstrapServers(), "trial", 1)).containsExactly("one");
        }
    }

    @Test
    void aPortThatIsTakenIsSaidAtOnce() throws IOException {
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
