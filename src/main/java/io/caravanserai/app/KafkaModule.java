package io.caravanserai.app;

import io.caravanserai.broker.EmbeddedKafka;
import io.caravanserai.config.HubSettings;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.kafka.GroupInstanceId;
import io.caravanserai.kafka.KafkaConnection;
import io.caravanserai.kafka.KafkaDeadLetters;
import io.caravanserai.kafka.KafkaTopic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.component.kafka.serde.ToStringKafkaHeaderDeserializer;

/** The Kafka parts of the hub: the embedded broker, if configured, and the connection. */
final class KafkaModule implements AutoCloseable {
    private final Optional<EmbeddedKafka> broker;
    final KafkaConnection link;
    final KafkaDeadLetters deadLetters;

    private KafkaModule(Optional<EmbeddedKafka> broker, KafkaConnection link, DeadLetters letters) {
        this.broker = broker;
        this.link = link;
        this.deadLetters = new KafkaDeadLetters(letters, link);
    }

    /** Starts the configured parts. Does not wait for outside brokers. */
    static Optional<KafkaModule> open(HubSettings settings, DeadLetters letters) {
        HubSettings.Kafka kafka = settings.kafka();
        if (kafka.mode() == HubSettings.Kafka.Mode.OFF) {
            return Optional.empty();
        }
        try {
            Optional<EmbeddedKafka> broker = Optional.empty();
            String brokers = kafka.brokers();
            List<KafkaTopic> topics =
                    new ArrayList<>(List.of(KafkaTopic.ORDERS, KafkaTopic.DEAD_LETTERS, KafkaTopic.ORDER_EVENTS));
            if (kafka.mode() == HubSettings.Kafka.Mode.EMBEDDED) {
                EmbeddedKafka embedded = new EmbeddedKafka(
                        settings.dataDir().resolve("kafka"),
                        kafka.port(),
                        settings.security().keys(),
                        settings.name());
                embedded.start();
                broker = Optional.of(embedded);
                brokers = embedded.bootstrapServers();
                // Senders may write to this topic and may create no topic.
                topics.add(KafkaTopic.SIGNALS);
            }
            KafkaConnection link = new KafkaConnection(
                    brokers,
                    GroupInstanceId.of(settings.dataDir()),
                    topics,
                    broker.map(EmbeddedKafka::login).orElse(Map.of()));
            link.start();
            return Optional.of(new KafkaModule(broker, link, letters));
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /**
     * Adds Camel's Kafka component for flows. Headers are deserialized as text, because headers as bytes would break a
     * trace. Flows log in to the embedded broker; the password of the hub is not sent to other brokers.
     */
    void addTo(CamelContext context) {
        KafkaComponent component = new KafkaComponent();
        component.getConfiguration().setBrokers(link.brokers());
        component.getConfiguration().setHeaderDeserializer(new ToStringKafkaHeaderDeserializer());
        context.addComponent("kafka", component);
        Map<String, Object> login = broker.map(EmbeddedKafka::login).orElse(Map.of());
        if (login.isEmpty()) {
            return;
        }
        context.getCamelContextExtension().registerEndpointCallback((uri, endpoint) -> {
            if (endpoint instanceof KafkaEndpoint kafka
                    && link.brokers().equals(kafka.getConfiguration().getBrokers())) {
                KafkaConfiguration configuration = kafka.getConfiguration();
                configuration.setSecurityProtocol((String) login.get("security.protocol"));
                configuration.setSaslMechanism((String) login.get("sasl.mechanism"));
                configuration.setSaslJaasConfig((String) login.get("sasl.jaas.config"));
            }
            return endpoint;
        });
    }

    /** Returns why Kafka is unavailable; empty while Kafka is available. */
    Optional<String> unavailableReason() {
        return broker.flatMap(EmbeddedKafka::unavailableReason).or(link::unavailableReason);
    }

    @Override
    public void close() {
        deadLetters.close();
        link.close();
        broker.ifPresent(EmbeddedKafka::close);
    }
}
