package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Nodes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.support.PatternHelper;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Finds the handlers that hide the failure of a route from its caller. Behind such a handler a failed compensation counts
 * as done.
 */
final class FailureHandlers {
    /** Failures after which nothing is left to undo. */
    private static final Set<String> ANSWERS = Set.of(
            "io.caravanserai.service.StepRefusedException",
            "io.caravanserai.service.OrderClosedException",
            "io.caravanserai.saga.SagaNotRunningException");

    private final Map<String, Node> trees;
    private final EventConditions conditions;

    /** @param trees by file */
    FailureHandlers(Map<String, Node> trees, EventConditions conditions) {
        this.trees = trees;
        this.conditions = conditions;
    }

    /** Returns each {@code onException} and error handler that hides a failure of the route. */
    List<Node> hiding(RouteTable.Route route) {
        List<Node> around = new ArrayList<>();
        if (trees.get(route.file()) instanceof SequenceNode items) {
            for (Node item : items.getValue()) {
                around.add(item);
                Nodes.value(item, "routeConfiguration")
                        .filter(configuration -> counts(configuration, route.definition()))
                        .ifPresent(configuration -> {
                            around.add(configuration);
                            around.addAll(RouteTable.list(configuration, "onException"));
                        });
            }
        }
        Stream<Node> exceptions = around.stream()
                .flatMap(each -> Nodes.value(each, "onException").stream())
                .filter(MappingNode.class::isInstance)
                .filter(this::hides);
        boolean hasOwn = Nodes.value(route.definition(), "errorHandler").isPresent()
                || Nodes.value(route.definition(), "errorHandlerRef").isPresent();
        Stream<Node> others = (hasOwn ? Stream.of(route.definition()) : around.stream())
                .flatMap(each -> Nodes.value(each, "errorHandler").stream())
                .flatMap(handler -> Stream.of("deadLetterChannel", "refErrorHandler")
                        .flatMap(kind -> Nodes.value(handler, kind).stream()));
        Stream<Node> named = Nodes.value(route.definition(), "errorHandlerRef").stream();
        return Stream.of(exceptions, others, named).flatMap(each -> each).toList();
    }

    /** Whether a route configuration applies to a route. */
    private static boolean counts(Node configuration, Node route) {
        String id = Nodes.text(configuration, "id").orElse("*");
        return Nodes.text(route, "routeConfigurationId")
                .map(names ->
                        Arrays.stream(names.split(",")).anyMatch(name -> PatternHelper.matchPattern(id, name.strip())))
                .orElse(id.equals("*"));
    }

    private boolean hides(Node onException) {
        return !RouteTable.isTrue(onException, "disabled")
                && (holds(onException, "handled") || holds(onException, "continued"))
                && catchesFailures(onException);
    }

    /** Whether a handler catches a failure that leaves a compensation undone. */
    static boolean catchesFailures(Node caught) {
        List<Node> exceptions = RouteTable.list(caught, "exception");
        return exceptions.isEmpty()
                || exceptions.stream()
                        .anyMatch(each -> !(each instanceof ScalarNode name
                                && ANSWERS.contains(name.getValue().strip())));
    }

    /** Whether a condition exists and is not the constant false. */
    private boolean holds(Node onException, String key) {
        return Nodes.value(onException, key)
                .filter(condition -> conditions.holds(condition, null).orElse(true))
                .isPresent();
    }
}
