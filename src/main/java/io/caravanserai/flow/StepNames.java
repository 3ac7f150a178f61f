package io.caravanserai.flow;

import io.caravanserai.order.Step;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.model.EndpointRequiredDefinition;
import org.apache.camel.model.EnrichDefinition;
import org.apache.camel.model.Model;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;

/** Tells which step of an order a route of a flow is about. Thread-safe. */
public final class StepNames {
    /** A service's endpoint, or the queue of its commands. */
    private static final Pattern ACTION = Pattern.compile("(?:direct|jms):(?://)?(?:queue:)?(?:[A-Za-z0-9_-]+\\.)?("
            + Arrays.stream(Step.values()).map(Step::action).collect(Collectors.joining("|"))
            + "|payment-captured)(?![A-Za-z0-9_.-])");

    private final CamelContext context;

    public StepNames(CamelContext context) {
        this.context = context;
    }

    /**
     * The name under which a failure in a route is shown.
     *
     * @param routeId null when the route is not known
     * @param next the step of the services that the order waits for
     * @return the service's step that the route calls; else the route's own name
     */
    public String of(String routeId, Step next) {
        Optional<RouteName> name = RouteName.of(routeId);
        if (name.isEmpty()) {
            return next.action();
        }
        Set<Step> called = called(routeId);
        if (called.isEmpty()) {
            return name.get().route();
        }
        return called.contains(next) ? next.action() : called.iterator().next().action();
    }

    /** The steps of the services that a route itself calls. */
    private Set<Step> called(String routeId) {
        RouteDefinition route =
                context.getCamelContextExtension().getContextPlugin(Model.class).getRouteDefinition(routeId);
        Set<Step> called = EnumSet.noneOf(Step.class);
        if (route != null) {
            route.getOutputs().forEach(output -> collect(output, called));
        }
        return called;
    }

    private static void collect(ProcessorDefinition<?> definition, Set<Step> called) {
        if (definition instanceof EndpointRequiredDefinition endpoint && endpoint.getEndpointUri() != null) {
            find(endpoint.getEndpointUri(), called);
        } else if (definition instanceof EnrichDefinition enrich && enrich.getExpression() != null) {
            find(String.valueOf(enrich.getExpression().getExpression()), called);
        }
        definition.getOutputs().forEach(output -> collect(output, called));
    }

    private static void find(String text, Set<Step> called) {
        Matcher action = ACTION.matcher(text);
        while (action.find()) {
            String found = action.group(1);
            called.add(Arrays.stream(Step.values())
                    .filter(step -> step.action().equals(found))
                    .findFirst()
                    .orElse(Step.PROCESS_PAYMENT));
        }
    }
}
