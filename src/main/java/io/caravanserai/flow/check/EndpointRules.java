package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.component.file.FileEndpoint;
import org.apache.camel.component.jms.JmsComponent;
import org.apache.camel.component.jms.JmsEndpoint;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.component.log.LogEndpoint;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.dsl.yaml.common.YamlDeserializerSupport;
import org.apache.camel.dsl.yaml.common.YamlSupport;
import org.apache.camel.support.service.ServiceHelper;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Finds faults of endpoints that Camel reports only when their route starts. Creates the consumer or producer of each
 * endpoint in the scratch context and does not start it.
 */
final class EndpointRules {
    /** Creating a consumer of these components needs a started component. */
    private static final Set<String> NOT_CREATED_FROM =
            Set.of("platform-http", "rest", "rest-api", "rest-openapi", "kamelet");

    /** Creating a producer of these components starts a thread or needs a part that the hub does not have. */
    private static final Set<String> NOT_CREATED_TO = Set.of("log", "rest-api", "rest-openapi", "kamelet");

    private static final Set<String> CONSUMERS = Set.of("from", "poll");
    private static final Set<String> PRODUCERS = Set.of("to", "wireTap", "deadLetterChannel");

    private final String file;
    private final CamelContext scratch;
    private final CamelContext live;
    private final SedaRules seda;
    private final SingleConsumers singles;
    private final List<Fault> faults = new ArrayList<>();

    private EndpointRules(String file, Node root, CamelContext scratch, CamelContext live) {
        this.file = file;
        this.scratch = scratch;
        this.live = live;
        this.seda = new SedaRules(FlowVersion.flowOf(file), root, live);
        this.singles = new SingleConsumers(FlowVersion.flowOf(file), live);
    }

    /** @param scratch a context that is not started, with the routes of the file built without a fault */
    static List<Fault> check(String file, Node root, CamelContext scratch, CamelContext live) {
        EndpointRules rules = new EndpointRules(file, root, scratch, live);
        EndpointUse.in(root).stream()
                .filter(use -> CONSUMERS.contains(use.role()) || PRODUCERS.contains(use.role()))
                .filter(use -> !use.isDynamic() && !hasPlaceholder(use))
                .forEach(rules::check);
        return rules.faults;
    }

    /** A placeholder of a route template has no value in a check. */
    private static boolean hasPlaceholder(EndpointUse use) {
        return use.uri().contains("{{")
                || use.parameters()
                        .map(YamlDeserializerSupport::asScalarMap)
                        .filter(options -> options.values().toString().contains("{{"))
                        .isPresent();
    }

    private void check(EndpointUse use) {
        try {
            Endpoint endpoint = scratch.getEndpoint(uri(use));
            Optional<String> fault = CONSUMERS.contains(use.role()) ? consumer(use, endpoint) : producer(use, endpoint);
            fault.ifPresent(message -> faults.add(Fault.at(file, use.node(), message)));
        } catch (NullPointerException | IllegalStateException e) {
            // A part exists only in a started component: no fault of the text.
            return;
        } catch (Exception e) {
            faults.add(ErrorLocator.of(file, use.node(), e, live));
        }
    }

    private String uri(EndpointUse use) {
        return use.parameters()
                .map(given -> {
                    Map<String, Object> options = YamlDeserializerSupport.asScalarMap(given);
                    return YamlSupport.createEndpointUri(scratch, given, use.uri(), options);
                })
                .orElse(use.uri());
    }

    private Optional<String> consumer(EndpointUse use, Endpoint endpoint) throws Exception {
        Optional<String> fault = startFault(endpoint);
        if (fault.isEmpty() && use.role().equals("from")) {
            fault = singles.fault(endpoint);
        }
        if (fault.isPresent() || NOT_CREATED_FROM.contains(use.scheme())) {
            return fault;
        }
        if (endpoint instanceof KafkaEndpoint kafka) {
            return hasBroker(kafka) ? KafkaRules.consumerFault(kafka) : Optional.empty();
        }
        if (endpoint instanceof JmsEndpoint jms) {
            return JmsRules.consumerFault(jms);
        }
        ServiceHelper.initService(endpoint.createConsumer(exchange -> {}));
        return Optional.empty();
    }

    private Optional<String> producer(EndpointUse use, Endpoint endpoint) throws Exception {
        if (endpoint instanceof LogEndpoint log) {
            return throughputFault(log);
        }
        if (endpoint instanceof SedaEndpoint queue) {
            return seda.fault(queue);
        }
        if (endpoint instanceof KafkaEndpoint kafka) {
            return hasBroker(kafka) ? KafkaRules.producerFault(kafka) : Optional.empty();
        }
        if (!NOT_CREATED_TO.contains(use.scheme()) && endpoint.isSingletonProducer()) {
            ServiceHelper.initService(endpoint.createProducer());
        }
        return Optional.empty();
    }

    /** False in a check from the command line, which knows no broker: the hub of these files may have Kafka. */
    private boolean hasBroker(KafkaEndpoint kafka) {
        return kafka.getConfiguration().getBrokers() != null
                || live.hasComponent("jms") instanceof JmsComponent jms
                        && jms.getConfiguration().getConnectionFactory() != null;
    }

    private static Optional<String> throughputFault(LogEndpoint log) {
        if (log.getGroupSize() != null) {
            return log.getGroupSize() < 1
                    ? Optional.of("groupSize must be positive, was: " + log.getGroupSize())
                    : Optional.empty();
        }
        return log.getGroupInterval() != null && log.getGroupInterval() < 1
                ? Optional.of("groupInterval must be positive, was: " + log.getGroupInterval())
                : Optional.empty();
    }

    /** Returns why a consumer would not start, for conditions that Camel checks only at the start. */
    private Optional<String> startFault(Endpoint endpoint) {
        if (endpoint instanceof SedaEndpoint queue) {
            return queue.getConcurrentConsumers() < 1
                    ? Optional.of("concurrentConsumers must be at least 1, was: " + queue.getConcurrentConsumers())
                    : seda.fault(queue);
        }
        if (endpoint instanceof FileEndpoint folder) {
            return folderFault(folder);
        }
        return Optional.empty();
    }

    private static Optional<String> folderFault(FileEndpoint folder) {
        if (!folder.isAutoCreate()
                && folder.isStartingDirectoryMustExist()
                && !folder.getFile().exists()) {
            return Optional.of("Starting directory does not exist: " + folder.getFile());
        }
        boolean needsRepository =
                folder.getReadLock() != null && folder.getReadLock().startsWith("idempotent");
        return needsRepository && folder.getIdempotentRepository() == null
                ? Optional.of(
                        "readLock=" + folder.getReadLock()
                                + " needs a repository: set the option idempotentRepository, such as idempotentRepository=#once")
                : Optional.empty();
    }
}
