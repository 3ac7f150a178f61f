package io.caravanserai.flow;

import io.caravanserai.order.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    private static final Map<String, Step> UNDOABLE = Arrays.stream(Step.values())
            .filter(step -> step.compensation().isPresent())
            .collect(Collectors.toMap(step -> "direct:" + step.action(), Function.identity()));

    private final String file;
    private final List<Fault> faults = new ArrayList<>();

    private SagaCheck(String file) {
        this.file = file;
    }

    static List<Fault> check(String file, Node root) {
        SagaCheck check = new SagaCheck(file);
        if (!Nodes.valuesOf(root, "saga").isEmpty()) {
            for (Node route : Nodes.valuesOf(root, "from")) {
                Nodes.value(route, "steps").ifPresent(check::route);
            }
        }
        return check.faults;
    }

    private void route(Node steps) {
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
        } else if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                if (key.equals("saga") && !top) {
                    faults.add(
                            Fault.at(file, tuple.getKeyNode(), "'saga' must stand directly in the steps of its route"));
                }
                if (key.equals("to") || key.equals("toD")) {
                    call(tuple.getValueNode(), saga);
                }
                if (!key.equals("parameters")) {
                    walk(tuple.getValueNode(), saga, false);
                }
            }
        }
    }

    private void call(Node to, Node saga) {
        Step step =
                LocalNames.uriOf(to).map(LocalNames::keyOf).map(UNDOABLE::get).orElse(null);
        if (step == null) {
            return;
        }
        if (saga == null || Nodes.value(saga, "compensation").isEmpty()) {
            faults.add(Fault.at(
                    file,
                    to,
                    "the step '" + step.action() + "' has no compensation: put it in a saga with 'compensation: direct:"
                            + step.compensation().orElseThrow() + "'"));
        }
    }
}
