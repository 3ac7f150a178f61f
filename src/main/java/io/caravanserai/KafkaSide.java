package io.caravanserai;

import io.caravanserai.broker.EmbeddedKafka;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.kafka.KafkaDeadLetters;
import io.caravanserai.kafka.KafkaLink;
import io.caravanserai.kafka.KafkaMember;
import io.caravanserai.kafka.KafkaTopic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.serde.ToStringKafkaHeaderDeserializer;

/** What stands between the hub and Kafka when it is switched on: the broker in the process, if asked for, and the link. */
final class KafkaSide implements AutoCloseable {
    private final Optional<EmbeddedKafka> broker;
    final KafkaLink link;
    final KafkaDeadLetters deadLetters;

    private KafkaSide(Optional<EmbeddedKafka> broker, KafkaLink link, DeadLetters letters) {
        this.broker = broker;
        this.link = link;
        this.deadLetters = new KafkaDeadLetters(letters, link);
    }

    /** Starts what the settings ask for; brokers outside are not waited for. */
    static Optional<KafkaSide> open(HubSettings settings, DeadLetters letters) {
        HubSettings.Kafka kafka = settings.kafka();
        if (kafka.mode() == HubSettings.Kafka.Mode.OFF) {
            return Optional.empty();
        }
        try {
            Optional<EmbeddedKafka> broker = Optional.empty();
            String brokers = kafka.brokers();
            if (kafka.mode() == HubSettings.Kafka.Mode.EMBEDDED) {
                EmbeddedKafka embedded = new EmbeddedKafka(settings.dataDir().resolve("kafka"), kafka.port());
                embedded.start();
                broker = Optional.of(embedded);
                brokers = embedded.bootstrapServers();
            }
            KafkaLink link = new KafkaLink(
                    brokers,
                    KafkaMember.of(settings.dataDir()),
                    List.of(KafkaTopic.ORDERS, KafkaTopic.DEAD_LETTERS, KafkaTopic.ORDER_EVENTS));
            link.start();
            return Optional.of(new KafkaSide(broker, link, letters));
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /** Camel's component, for people's flows. Headers come as text: as bytes they would break a trace. */
    KafkaComponent component() {
        KafkaComponent component = new KafkaComponent();
        component.getConfiguration().setBrokers(link.brokers());
        component.getConfiguration().setHeaderDeserializer(new ToStringKafkaHeaderDeserializer());
        return component;
    }

    /** Why Kafka cannot be used at present; empty while it can. */
    Optional<String> trouble() {
        return broker.flatMap(EmbeddedKafka::trouble).or(link::trouble);
    }

    @Override
    public void close() {
        deadLetters.close();
        link.close();
        broker.ifPresent(EmbeddedKafka::close);
    }
}
