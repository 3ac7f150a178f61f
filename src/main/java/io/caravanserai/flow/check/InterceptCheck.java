package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import io.caravanserai.order.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.support.EndpointHelper;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * Refuses interceptors with an effect outside the flow, and interceptors that end compensations without a failure.
 * <p>Camel applies {@code interceptSendToEndpoint} to the endpoint, in the whole context: calls from other flows are
 * intercepted too, and the interceptor remains after an edit or a deletion of the flow. An {@code intercept} that stops
 * the exchange ends a compensation like a successful compensation.
 */
final class InterceptCheck {
    private static final Set<String> SERVICES = services();

    private InterceptCheck() {}

    static List<Fault> check(String file, Node root, CheckContext around) {
        List<Fault> faults = new ArrayList<>();
        for (Node interceptor : Nodes.valuesOf(root, "interceptSendToEndpoint")) {
            Optional<String> pattern = VersionedEndpoints.uriOf(interceptor);
            pattern.flatMap(uri -> intercepted(uri, root, around))
                    .ifPresent(endpoint -> faults.add(Fault.at(
                            file,
                            place(interceptor),
                            "'interceptSendToEndpoint' would intercept '" + endpoint
                                    + "' in all flows, and stay when this one is edited or deleted: put its steps"
                                    + " before the 'to' instead")));
        }
        if (!Nodes.valuesOf(root, "saga").isEmpty()) {
            Stream.of("intercept", "interceptFrom")
                    .flatMap(key -> Nodes.valuesOf(root, key).stream())
                    .flatMap(interceptor -> Nodes.keysOf(interceptor, "stop").stream())
                    .forEach(stop -> faults.add(Fault.at(
                            file,
                            stop,
                            "'stop' in an interceptor ends each step and compensation of this file as if it were done:"
                                    + " use 'throwException' to fail them")));
        }
        return faults;
    }

    /** Returns an endpoint that matches the pattern: a service of the hub, or an endpoint in a step of any flow. */
    private static Optional<String> intercepted(String pattern, Node root, CheckContext around) {
        CamelContext context = around.context();
        Set<String> endpoints = new LinkedHashSet<>(SERVICES);
        Stream.concat(Stream.of(root), around.trees().values().stream())
                .flatMap(tree -> EndpointUse.in(tree).stream())
                .filter(use -> !use.role().equals("from") && !use.isDynamic())
                .forEach(use -> {
                    endpoints.add(use.full());
                    endpoints.add(VersionedEndpoints.keyOf(use.full()));
                });
        return endpoints.stream()
                .filter(endpoint -> matches(context, endpoint, pattern))
                .findFirst();
    }

    private static boolean matches(CamelContext context, String endpoint, String pattern) {
        try {
            // Local names have a version suffix at run time.
            return EndpointHelper.matchEndpoint(context, endpoint, pattern)
                    || EndpointHelper.matchEndpoint(context, endpoint + "@1", pattern);
        } catch (RuntimeException e) {
            // Other checks report the fault of the endpoint or the pattern.
            return false;
        }
    }

    private static Node place(Node interceptor) {
        return Nodes.value(interceptor, "uri")
                .filter(ScalarNode.class::isInstance)
                .orElse(interceptor);
    }

    private static Set<String> services() {
        Set<String> endpoints = new LinkedHashSet<>(FlowPaths.ACTIONS.keySet());
        Arrays.stream(Step.values())
                .flatMap(step -> step.compensation().stream())
                .forEach(name -> endpoints.add("direct:" + name));
        endpoints.add(FlowPaths.BOOKED);
        endpoints.addAll(FlowPaths.ENDS);
        endpoints.addAll(List.of("saga:complete", "direct:notify-customer", "direct:count-order"));
        return endpoints;
    }
}
