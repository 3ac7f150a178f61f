package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Nodes;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Reads the keys of idempotent consumers. */
final class OnceKeys {
    private final List<String> keys;

    /** @param trees by file */
    OnceKeys(Map<String, Node> trees) {
        this.keys = trees.values().stream()
                .flatMap(tree -> Nodes.valuesOf(tree, "idempotentConsumer").stream())
                .map(OnceKeys::key)
                .toList();
    }

    /**
     * Whether an idempotent consumer runs its steps once for each order. Two consumers with one key of one repository run
     * the steps of only one of them.
     */
    boolean isOncePerOrder(Node once) {
        String key = key(once);
        boolean isOfTheOrder = key.contains("orderId") || key.contains("Long-Running-Action");
        return isOfTheOrder && Collections.frequency(keys, key) <= 1;
    }

    private static String key(Node once) {
        String repository = Nodes.text(once, "idempotentRepository").orElse("");
        return repository
                + Nodes.value(once, "expression")
                        .flatMap(OnceKeys::expression)
                        .or(() -> expression(once))
                        .orElse("");
    }

    private static Optional<String> expression(Node languages) {
        return languages instanceof MappingNode group
                ? group.getValue().stream().flatMap(each -> text(each).stream()).findFirst()
                : Optional.empty();
    }

    private static Optional<String> text(NodeTuple language) {
        String name = ((ScalarNode) language.getKeyNode()).getValue();
        if (!StepNeeds.LANGUAGES.contains(name)) {
            return Optional.empty();
        }
        Optional<String> text = language.getValueNode() instanceof ScalarNode scalar
                ? Optional.of(scalar.getValue())
                : Nodes.text(language.getValueNode(), "expression");
        return text.map(String::strip).map(each -> name.equals("header") ? "${header." + each + "}" : each);
    }
}
