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

/** Finds the step of an order that a route of a flow performs. Thread-safe. */
public final class StepNames {
    /** The endpoint of a service, or the queue of the service's commands. */
    private static final Pattern ACTION = Pattern.compile("(?:direct|jms):(?://)?(?:queue:)?(?:[A-Za-z0-9_-]+\\.)?("
            + Arrays.stream(Step.values()).map(Step::action).collect(Collectors.joining("|"))
            + "|payment-captured)(?![A-Za-z0-9_.-])");

    private final CamelContext context;

    public StepNames(CamelContext context) {
        this.context = context;
    }

    /**
     * Returns the name under which a failure in a route is shown.
     * @param routeId null when the route is unknown
     * @param failed the step in {@link io.caravanserai.saga.FailurePlace}: named in the flow or called by the node;
     *     null when the flow names no step
     * @param next the next service step of the order; null without a next step
     * @return the failed step; else the service step when the route performs only this step; else the id of the route
     */
    public String of(String routeId, String failed, Step next) {
        if (failed != null && !isBehind(failed, next)) {
            return failed;
        }
        Optional<RouteName> name = RouteName.of(routeId);
        if (name.isEmpty()) {
            return next == null ? "flow" : next.action();
        }
        // In a route with several steps the step of a node without a name is unknown, and a completed step did not
        // fail.
        return next != null && called(routeId).equals(EnumSet.of(next))
                ? next.action()
                : name.get().route();
    }

    /** Whether the name is a completed action of the order: a node may fail after the service has answered. */
    private static boolean isBehind(String name, Step next) {
        return Arrays.stream(Step.values())
                .filter(step -> step.action().equals(name))
                .anyMatch(step -> next == null || step.ordinal() < next.ordinal());
    }

    /** Returns the action that a node calls; null when the node calls none or may call several. */
    public static String calledBy(ProcessorDefinition<?> node) {
        Set<Step> called = EnumSet.noneOf(Step.class);
        find(node, called);
        return called.size() == 1 ? called.iterator().next().action() : null;
    }

    /** Returns the service steps that a route calls. */
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
