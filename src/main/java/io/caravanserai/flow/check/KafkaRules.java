package io.caravanserai.flow.check;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Properties;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/** Checks Kafka endpoints by creating the Kafka client that the route would use, and closing the client at once. */
final class KafkaRules {
    private static final Pattern TOPIC = Pattern.compile("[a-zA-Z0-9._-]{1,249}");

    private KafkaRules() {}

    /** @throws Exception from the Kafka client, for an option that the client refuses */
    static Optional<String> consumerFault(KafkaEndpoint endpoint) throws Exception {
        KafkaConfiguration configuration = endpoint.getConfiguration();
        Optional<String> fault = fault(configuration);
        if (fault.isPresent()) {
            return fault;
        }
        if (configuration.getConsumersCount() < 1) {
            return Optional.of("consumersCount must be at least 1, was: " + configuration.getConsumersCount());
        }
        Properties properties = configuration.createConsumerProperties();
        Optional.ofNullable(configuration.getGroupInstanceId())
                .ifPresent(id -> properties.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, id));
        String group = configuration.getGroupId();
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, group == null || group.isEmpty() ? "flow-check" : group);
        endpoint.getKafkaClientFactory()
                .getConsumer(completed(endpoint, properties))
                .close(CloseOptions.timeout(Duration.ZERO));
        return Optional.empty();
    }

    /** @throws Exception from the Kafka client, for an option that the client refuses */
    static Optional<String> producerFault(KafkaEndpoint endpoint) throws Exception {
        Optional<String> fault = fault(endpoint.getConfiguration());
        if (fault.isEmpty()) {
            Properties properties = endpoint.getConfiguration().createProducerProperties();
            endpoint.getKafkaClientFactory()
                    .getProducer(completed(endpoint, properties))
                    .close(Duration.ZERO);
        }
        return fault;
    }

    private static Optional<String> fault(KafkaConfiguration configuration) {
        String brokers = configuration.getBrokers();
        if (brokers == null || brokers.isEmpty()) {
            return Optional.of("Kafka is off: set hub.kafka.brokers, or the option brokers of the endpoint");
        }
        if (configuration.isTopicIsPattern()) {
            Pattern.compile(configuration.getTopic());
            return Optional.empty();
        }
        return Arrays.stream(configuration.getTopic().split(","))
                .filter(topic -> !TOPIC.matcher(topic).matches())
                .findFirst()
                .map(topic ->
                        "'" + topic + "' cannot be the name of a Kafka topic: a name has letters, digits, '.', '_'"
                                + " and '-', at most 249");
    }

    private static Properties completed(KafkaEndpoint endpoint, Properties properties) {
        endpoint.updateClassProperties(properties);
        properties.put(
                CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG,
                endpoint.getConfiguration().getBrokers());
        // Two clients of one id would have the same name in JMX.
        properties.put(CommonClientConfigs.CLIENT_ID_CONFIG, "flow-check-" + UUID.randomUUID());
        return properties;
    }
}
