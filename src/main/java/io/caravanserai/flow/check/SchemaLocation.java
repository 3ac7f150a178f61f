package io.caravanserai.flow.check;

import com.networknt.schema.JsonNodePath;
import io.caravanserai.flow.yaml.Nodes;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * A place in a tree.
 * @param node the node at the place
 * @param keyNode the key of the node; the node itself in a list
 * @param name the last key in the path of the node
 * @param isStep whether the node is an item of {@code steps}
 */
record SchemaLocation(Node node, Node keyNode, String name, boolean isStep) {

    static SchemaLocation of(Node root, JsonNodePath path) {
        Node node = root;
        Node key = root;
        String name = "the file";
        boolean step = false;
        for (int i = 0; i < path.getNameCount(); i++) {
            Object element = path.getElement(i);
            if (element instanceof Integer index && node instanceof SequenceNode sequence) {
                node = sequence.getValue().get(index);
                key = node;
                step = name.equals("steps");
            } else {
                String last = element.toString();
                Node within = node;
                name = last;
                step = false;
                NodeTuple tuple = tuple(node, name)
                        .or(() -> Nodes.value(within, "expression").flatMap(inner -> tuple(inner, last)))
                        .orElseThrow();
                key = tuple.getKeyNode();
                node = tuple.getValueNode();
            }
        }
        return new SchemaLocation(node, key, name, step);
    }

    /** Returns the node to report: the value if the value is wrong, or the key of a mapping with a missing entry. */
    Node place() {
        return node instanceof ScalarNode ? node : keyNode;
    }

    /** Returns the key node with the name in this mapping, or the key of this node. */
    Node key(String name) {
        return tuple(node, name).map(NodeTuple::getKeyNode).orElse(keyNode);
    }

    /** Returns the key names in this mapping, in the order of the text. */
    List<String> keys() {
        return node instanceof MappingNode mapping
                ? mapping.getValue().stream()
                        .map(tuple -> ((ScalarNode) tuple.getKeyNode()).getValue())
                        .toList()
                : List.of();
    }

    /** Returns text that names the mapping of a key; empty for a step. */
    String inside() {
        return isStep || name.equals("the file") ? "" : " (in '" + name + "')";
    }

    String kind() {
        if (node instanceof SequenceNode) {
            return "a list";
        }
        if (node instanceof MappingNode) {
            return "a group of keys";
        }
        String value = ((ScalarNode) node).getValue();
        return value.isEmpty() ? "empty" : "the text '" + value + "'";
    }

    private static Optional<NodeTuple> tuple(Node node, String key) {
        if (node instanceof MappingNode mapping) {
            return mapping.getValue().stream()
                    .filter(tuple -> Nodes.is(tuple.getKeyNode(), key))
                    .findFirst();
        }
        return Optional.empty();
    }
}
