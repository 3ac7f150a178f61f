package io.caravanserai.flow.yaml;

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
     * @param failed the step that the flow names or the node calls, of {@link io.caravanserai.saga.FailurePlace}; null
     *     when the flow names none
     * @param next the step of the services that the order waits for; null when it waits for none
     * @return the failed step; else the service's step when the route is about that one alone; else the route's own name
     */
    public String of(String routeId, String failed, Step next) {
        if (failed != null && !isBehind(failed, next)) {
            return failed;
        }
        Optional<RouteName> name = RouteName.of(routeId);
        if (name.isEmpty()) {
            return next == null ? "flow" : next.action();
        }
        // Of a route that calls several steps, nobody knows which one a node of its own belongs to; a step that the
        // order has behind it did not fail.
        return next != null && called(routeId).equals(EnumSet.of(next))
                ? next.action()
                : name.get().route();
    }

    /** Whether it is an action that the order has behind it: a node may fail after the service has answered. */
    private static boolean isBehind(String name, Step next) {
        return Arrays.stream(Step.values())
                .filter(step -> step.action().equals(name))
                .anyMatch(step -> next == null || step.ordinal() < next.ordinal());
    }

    /** The action that a node itself calls; null when it calls none, or may call several. */
    public static String calledBy(ProcessorDefinition<?> node) {
        Set<Step> called = EnumSet.noneOf(Step.class);
        find(node, called);
        return called.size() == 1 ? called.iterator().next().action() : null;
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
        find(definition, called);
        definition.getOutputs().forEach(output -> collect(output, called));
    }

    private static void find(ProcessorDefinition<?> definition, Set<Step> called) {
        if (definition instanceof EndpointRequiredDefinition endpoint && endpoint.getEndpointUri() != null) {
            find(endpoint.getEndpointUri(), called);
        } else if (definition instanceof EnrichDefinition enrich && enrich.getExpression() != null) {
            find(String.valueOf(enrich.getExpression().getExpression()), called);
        }
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
