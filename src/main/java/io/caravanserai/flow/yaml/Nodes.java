package io.caravanserai.flow.yaml;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.camel.util.StringHelper;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Reads YAML trees with the line and column of each value. */
public final class Nodes {
    // With nested anchors a text of a few lines can expand beyond the memory.
    private static final int MOST = 100_000;
    private static final int DEEPEST = 200;

    private Nodes() {}

    /**
     * Returns the tree of a text; empty when the text has only comments.
     * @throws YamlEngineException when the text is not YAML, or nested too deeply, or too large
     */
    public static Optional<Node> parse(String file, String text) {
        LoadSettings settings = LoadSettings.builder().setLabel(file).build();
        try {
            Optional<Node> root = new Compose(settings).composeString(text);
            root.ifPresent(node -> count(node, 0, 0));
            root.ifPresent(Nodes::dashesToCamelCase);
            return root;
        } catch (StackOverflowError e) {
            throw tooDeep();
        }
    }

    /** Returns the number of nodes so far, including this node. A node under an alias counts each time. */
    private static int count(Node node, int before, int depth) {
        if (depth == DEEPEST) {
            throw tooDeep();
        }
        int count = before + 1;
        if (count > MOST) {
            throw new YamlEngineException("it holds more than " + MOST + " values, those that anchors repeat included");
        }
        if (node instanceof SequenceNode sequence) {
            for (Node item : sequence.getValue()) {
                count = count(item, count, depth + 1);
            }
        } else if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                count = count(tuple.getValueNode(), count(tuple.getKeyNode(), count, depth + 1), depth + 1);
            }
        }
        return count;
    }

    /** Camel accepts {@code show-all} for {@code showAll} in options of endpoints. */
    public static void dashesToCamelCase(Node root) {
        walk(root, node -> {
            // A Kamelet may have dashes in parameter names.
            boolean isKamelet =
                    text(node, "uri").filter(uri -> uri.startsWith("kamelet:")).isPresent()
                            || value(node, "name").isPresent();
            if (!isKamelet && value(node, "parameters").orElse(null) instanceof MappingNode options) {
                options.setValue(options.getValue().stream()
                        .map(Nodes::dashesToCamelCase)
                        .toList());
            }
        });
    }

    private static NodeTuple dashesToCamelCase(NodeTuple option) {
        boolean hasDash =
                option.getKeyNode() instanceof ScalarNode key && key.getValue().contains("-");
        if (!hasDash) {
            return option;
        }
        ScalarNode key = (ScalarNode) option.getKeyNode();
        ScalarNode plain = new ScalarNode(
                key.getTag(),
                true,
                StringHelper.dashToCamelCase(key.getValue()),
                key.getScalarStyle(),
                key.getStartMark(),
                key.getEndMark());
        return new NodeTuple(plain, option.getValueNode());
    }

    private static YamlEngineException tooDeep() {
        return new YamlEngineException("it is nested more than " + DEEPEST + " levels deep");
    }

    public static boolean is(Node node, String text) {
        return node instanceof ScalarNode scalar && scalar.getValue().equals(text);
    }

    public static Optional<Node> value(Node node, String key) {
        if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                if (is(tuple.getKeyNode(), key)) {
                    return Optional.of(tuple.getValueNode());
                }
            }
        }
        return Optional.empty();
    }

    public static Optional<String> text(Node node, String key) {
        return value(node, key).filter(ScalarNode.class::isInstance).map(value -> ((ScalarNode) value).getValue());
    }

    /** Returns the values of a key at any depth, in the order of the text. */
    public static List<Node> valuesOf(Node root, String key) {
        List<Node> values = new ArrayList<>();
        walk(root, node -> value(node, key).ifPresent(values::add));
        return values;
    }

    /** Returns the key nodes with a name, at any depth. */
    public static List<Node> keysOf(Node root, String key) {
        List<Node> keys = new ArrayList<>();
        walk(root, node -> {
            if (node instanceof MappingNode mapping) {
                mapping.getValue().stream()
                        .map(NodeTuple::getKeyNode)
                        .filter(each -> is(each, key))
                        .forEach(keys::add);
            }
        });
        return keys;
    }

    /** Visits every node once, parents first, even when anchors repeat the node. */
    public static void walk(Node root, Consumer<Node> visitor) {
        walk(root, visitor, Collections.newSetFromMap(new IdentityHashMap<>()));
    }

    private static void walk(Node node, Consumer<Node> visitor, Set<Node> seen) {
        if (!seen.add(node)) {
            return;
        }
        visitor.accept(node);
        if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(item -> walk(item, visitor, seen));
        } else if (node instanceof MappingNode mapping) {
            mapping.getValue().forEach(tuple -> walk(tuple.getValueNode(), visitor, seen));
        }
    }
}
