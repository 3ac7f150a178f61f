package io.caravanserai.flow;

import io.caravanserai.order.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Checks what Camel does not: in a flow with sagas, each step that has an effect to undo stands in a saga that names its
 * compensation; a saga is the first step of its route; a compensation can tell its order.
 */
final class SagaCheck {
    private static final Map<String, Step> UNDOABLE = undoable();

    private static final Set<String> BACKWARDS = Set.of("compensation", "completion");

    private final String file;
    private final LocalNames local;
    private final List<Fault> faults = new ArrayList<>();
    private final List<Call> calls = new ArrayList<>();
    private String current = "";

    /**
     * A place that names an endpoint.
     *
     * @param route the local name that leads to the route where it stands; empty when messages come from outside
     * @param compensated whether it stands in a saga with a compensation
     */
    private record Call(String route, String name, Node node, boolean compensated) {}

    private static Map<String, Step> undoable() {
        Map<String, Step> steps = Arrays.stream(Step.values())
                .filter(step -> step.compensation().isPresent())
                .collect(Collectors.toMap(step -> "direct:" + step.action(), Function.identity()));
        // What a provider outside has taken must be given back as well.
        steps.put("direct:payment-captured", Step.PROCESS_PAYMENT);
        return Map.copyOf(steps);
    }

    private SagaCheck(String file, LocalNames local) {
        this.file = file;
        this.local = local;
    }

    static List<Fault> check(String file, Node root) {
        SagaCheck check = new SagaCheck(file, LocalNames.of(FlowVersion.flowOf(file), root));
        if (!Nodes.valuesOf(root, "saga").isEmpty()) {
            for (Node from : Nodes.valuesOf(root, "from")) {
                Nodes.value(from, "steps").ifPresent(steps -> check.route(from, steps));
            }
            check.uncovered();
        }
        return check.faults;
    }

    private void route(Node from, Node steps) {
        current = LocalNames.uriOf(from)
                .map(LocalNames::keyOf)
                .filter(local::contains)
                .orElse("");
        if (steps instanceof SequenceNode sequence) {
            Node saga = null;
            for (Node step : sequence.getValue()) {
                // The steps behind a saga in the same list run in it as well as those under it.
                saga = Nodes.value(step, "saga").orElse(saga);
                Nodes.value(step, "saga").ifPresent(this::saga);
                walk(step, saga, true);
            }
        }
    }

    /** A route that is only entered from sagas with a compensation, say through a queue, is covered by them. */
    private void uncovered() {
        Set<String> covered = calls.stream().map(Call::name).collect(Collectors.toSet());
        covered.retainAll(local.names());
        boolean changed = true;
        while (changed) {
            changed = calls.stream()
                            .filter(call -> !call.compensated() && !covered.contains(call.route()))
                            .map(Call::name)
                            .filter(covered::remove)
                            .count()
                    > 0;
        }
        for (Call call : calls) {
            Step step = UNDOABLE.get(call.name());
            if (step != null && !call.compensated() && !covered.contains(call.route())) {
                faults.add(Fault.at(
                        file,
                        call.node(),
                        "the step '" + step.action()
                                + "' has no compensation: put it in a saga with 'compensation: direct:"
                                + step.compensation().orElseThrow() + "'"));
            }
        }
    }

    private void saga(Node saga) {
        Optional<Node> compensation = Nodes.value(saga, "compensation");
        compensation.flatMap(LocalNames::uriOf).map(LocalNames::keyOf).ifPresent(uri -> {
            boolean builtIn = UNDOABLE.values().stream()
                    .anyMatch(step -> uri.equals("direct:" + step.compensation().orElseThrow()));
            if (builtIn && !hasOrderOption(saga)) {
                faults.add(Fault.at(
                        file,
                        compensation.orElseThrow(),
                        "'" + uri + "' cannot tell its order: give the saga an option with the key orderId"));
            }
        });
    }

    private static boolean hasOrderOption(Node saga) {
        return Nodes.value(saga, "option")
                .filter(SequenceNode.class::isInstance)
                .map(options -> ((SequenceNode) options)
                        .getValue().stream()
                                .anyMatch(option -> Nodes.text(option, "key")
                                        .filter("orderId"::equals)
                                        .isPresent()))
                .orElse(false);
    }

    private void walk(Node node, Node saga, boolean top) {
        if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(item -> walk(item, saga, false));
        } else if (node instanceof ScalarNode scalar) {
            LocalNames.in(scalar.getValue()).forEach(name -> call(name, scalar, saga));
        } else if (node instanceof MappingNode mapping) {
            LocalNames.uriOf(mapping)
                    .filter(uri -> Nodes.text(mapping, "uri")
                            .filter(written -> written.contains(":"))
                            .isEmpty())
                    .ifPresent(uri -> call(LocalNames.keyOf(uri), mapping, saga));
            for (NodeTuple tuple : mapping.getValue()) {
                String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                if (key.equals("saga") && !top) {
                    faults.add(
                            Fault.at(file, tuple.getKeyNode(), "'saga' must stand directly in the steps of its route"));
                }
                if (!BACKWARDS.contains(key)) {
                    walk(tuple.getValueNode(), saga, false);
                }
            }
        }
    }

    private void call(String name, Node node, Node saga) {
        boolean compensated = saga != null && Nodes.value(saga, "compensation").isPresent();
        calls.add(new Call(current, name, node, compensated));
    }
}
