package io.caravanserai.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.crash.FailingDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An embedded Kafka broker whose machine loses its power soon after the first start. */
@Tag("crash")
class KafkaPowerCutIT {
    private static final int RECORDS = 200;

    @TempDir
    Path folder;

    @Test
    void brokerHasEveryAcknowledgedRecordAfterPowerCut() throws Exception {
        try (FailingDisk disk = new FailingDisk(folder, 600)) {
            List<String> sent;
            try (KafkaProcess broker = KafkaProcess.start(disk.root().resolve("kafka"), 0)) {
                sent = send(broker.bootstrapServers());
                broker.kill();
            }
            Path afterCut = disk.cutPower();

            try (KafkaProcess broker = KafkaProcess.start(afterCut.resolve("kafka"), 0)) {
                assertThat(receive(broker.bootstrapServers())).isEqualTo(sent);
            }
        }
    }

    @Test
    void newlyFormattedFolderIsCompleteAfterPowerCut() throws Exception {
        try (FailingDisk disk = new FailingDisk(folder, 600)) {
            Path data = disk.root().resolve("kafka");
            new KafkaFolder(data, 1).prepare();
            Path afterCut = disk.cutPower().resolve("kafka");

            for (String file : List.of("meta.properties", "bootstrap.checkpoint")) {
                assertThat(Files.size(afterCut.resolve(file))).as(file).isPositive();
            }
        }
    }

    private static List<String> send(String brokers) throws Exception {
        List<String> values = new ArrayList<>();
        long began = System.nanoTime();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers), new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < RECORDS; i++) {
                String value = "record " + i;
                producer.send(new ProducerRecord<>("trial", 0, null, value)).get();
                values.add(value);
            }
        }
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        System.out.println(RECORDS + " records one by one in " + took.toMillis() + " ms");
        return values;
    }

    private static List<String> receive(String brokers) {
        List<String> values = new ArrayList<>();
        TopicPartition partition = new TopicPartition("trial", 0);
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", brokers), new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            for (int polls = 0; values.size() < RECORDS && polls < 60; polls++) {
                consumer.poll(Duration.ofSeconds(1)).forEach(record -> values.add(record.value()));
            }
        }
        return values;
    }
}
