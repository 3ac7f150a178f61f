package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import io.caravanserai.order.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Checks rules of sagas that Camel does not check: a saga is the first step of a route, and a compensation has the id
 * of the order.
 */
final class SagaCheck {
    private final String file;
    private final List<Fault> faults = new ArrayList<>();

    private SagaCheck(String file) {
        this.file = file;
    }

    static List<Fault> check(String file, Node root) {
        SagaCheck check = new SagaCheck(file);
        for (Node from : Nodes.valuesOf(root, "from")) {
            Nodes.value(from, "steps").ifPresent(check::route);
        }
        return check.faults;
    }

    private void route(Node steps) {
        if (steps instanceof SequenceNode sequence) {
            for (Node step : sequence.getValue()) {
                Nodes.value(step, "saga").ifPresent(this::saga);
                walk(step, true);
            }
        }
    }

    private void saga(Node saga) {
        Optional<Node> compensation = Nodes.value(saga, "compensation");
        compensation
                .flatMap(VersionedEndpoints::uriOf)
                .map(VersionedEndpoints::keyOf)
                .ifPresent(uri -> {
                    boolean builtIn = Arrays.stream(Step.values())
                            .flatMap(step -> step.compensation().stream())
                            .anyMatch(name -> uri.equals("direct:" + name));
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

    private void walk(Node node, boolean top) {
        if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(item -> walk(item, false));
        } else if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                if (key.equals("saga") && !top) {
                    faults.add(
                            Fault.at(file, tuple.getKeyNode(), "'saga' must stand directly in the steps of its route"));
                }
                walk(tuple.getValueNode(), false);
            }
        }
    }
}
