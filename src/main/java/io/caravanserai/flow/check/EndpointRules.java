package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.component.file.FileEndpoint;
import org.apache.camel.component.log.LogEndpoint;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.dsl.yaml.common.YamlDeserializerSupport;
import org.apache.camel.dsl.yaml.common.YamlSupport;
import org.apache.camel.support.service.ServiceHelper;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Finds faults of endpoints that Camel reports only when the route starts. Creates the consumer or the producer of an
 * endpoint without a start: creates no thread, folder or connection.
 */
final class EndpointRules {
    /**
     * Creating a consumer or producer of these components needs a started component or broker, starts a thread, or
     * reads a resource.
     */
    private static final Set<String> NOT_CREATED_FROM =
            Set.of("platform-http", "rest", "rest-api", "rest-openapi", "jms", "kamelet");

    private static final Set<String> NOT_CREATED_TO =
            Set.of("http", "https", "vertx-http", "rest", "rest-api", "rest-openapi", "log", "jms", "kafka", "kamelet");

    private final String file;
    private final CamelContext scratch;
    private final CamelContext live;
    private final List<Fault> faults = new ArrayList<>();

    private EndpointRules(String file, CamelContext scratch, CamelContext live) {
        this.file = file;
        this.scratch = scratch;
        this.live = live;
    }

    /** @param scratch a context that is not started, with the routes of the file built without a fault */
    static List<Fault> check(String file, Node root, CamelContext scratch, CamelContext live) {
        EndpointRules rules = new EndpointRules(file, scratch, live);
        EndpointUse.in(root).stream()
                .filter(use -> use.role().equals("from") || use.role().equals("to"))
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
            if (use.role().equals("from")) {
                consumer(use, endpoint);
            } else {
                producer(use, endpoint);
            }
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

    private void consumer(EndpointUse use, Endpoint endpoint) throws Exception {
        Optional<String> fault = startFault(endpoint);
        if (fault.isPresent()) {
            faults.add(Fault.at(file, use.node(), fault.get()));
        } else if (!NOT_CREATED_FROM.contains(use.scheme())) {
            var consumer = endpoint.createConsumer(exchange -> {});
            ServiceHelper.initService(consumer);
        }
    }

    private void producer(EndpointUse use, Endpoint endpoint) throws Exception {
        if (endpoint instanceof LogEndpoint log && log.getGroupSize() == null && isBelowOne(log.getGroupInterval())) {
            faults.add(Fault.at(file, use.node(), "groupInterval must be positive, was: " + log.getGroupInterval()));
        } else if (!NOT_CREATED_TO.contains(use.scheme())
                && !use.uri().contains("://")
                && endpoint.isSingletonProducer()) {
            endpoint.createProducer();
        }
    }

    private static boolean isBelowOne(Long interval) {
        return interval != null && interval < 1;
    }

    /** Returns why a consumer would not start, for conditions that Camel checks only at the start. */
    private static Optional<String> startFault(Endpoint endpoint) {
        if (endpoint instanceof SedaEndpoint seda && seda.getConcurrentConsumers() < 1) {
            return Optional.of("concurrentConsumers must be at least 1, was: " + seda.getConcurrentConsumers());
        }
        if (endpoint instanceof FileEndpoint folder
                && !folder.isAutoCreate()
                && folder.isStartingDirectoryMustExist()
                && !folder.getFile().exists()) {
            return Optional.of("Starting directory does not exist: " + folder.getFile());
        }
        return Optional.empty();
    }
}
