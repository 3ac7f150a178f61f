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

/** What stands between the hub and Kafka when it is switched on: the broker in the process, if asked for, and the link. */
final class KafkaModule implements AutoCloseable {
    private final Optional<EmbeddedKafka> broker;
    final KafkaConnection link;
    final KafkaDeadLetters deadLetters;

    private KafkaModule(Optional<EmbeddedKafka> broker, KafkaConnection link, DeadLetters letters) {
        this.broker = broker;
        this.link = link;
        this.deadLetters = new KafkaDeadLetters(letters, link);
    }

    /** Starts what the settings ask for; brokers outside are not waited for. */
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
                // Senders may write there and make nothing.
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
     * Adds Camel's component, for people's flows. Headers come as text: as bytes they would break a trace. Flows log in to
     * the hub's own brokers; to others the hub's password is not told.
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

    /** Why Kafka cannot be used at present; empty while it can. */
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
