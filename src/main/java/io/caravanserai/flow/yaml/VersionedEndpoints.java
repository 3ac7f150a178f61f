package io.caravanserai.flow.yaml;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * The local names of a flow file: each {@code direct:} and {@code seda:} name with a consumer in the file, and each
 * consumed JMS queue with a name that begins with the flow and a dot ({@code jms:queue:order-queue.commands}).
 * <p>Each version of the file has names of its own ({@code direct:order-queue@7}, {@code direct:pay@order-queue.7}). So
 * versions run side by side, and no message of one version reaches another version or another file that took over a
 * name.
 */
public final class VersionedEndpoints {
    // The lookbehind excludes "redirect:x" and "a.direct:x".
    private static final Pattern NAME =
            Pattern.compile("(?<![\\w.-])(direct|seda|jms:queue|jms):(?://)?([A-Za-z0-9_./-]*[A-Za-z0-9_])");

    private static final Pattern QUEUE_OF_VERSION = Pattern.compile("[^@]+\\.[^@]+@\\d+");

    private final String flow;
    private final Set<String> names;

    private VersionedEndpoints(String flow, Set<String> names) {
        this.flow = flow;
        this.names = names;
    }

    public static VersionedEndpoints of(String flow, Node root) {
        Set<String> names = new LinkedHashSet<>();
        for (EndpointUse use : EndpointUse.in(root)) {
            String key = keyOf(use.full());
            if (use.role().equals("from") && !use.isDynamic() && isLocal(flow, key)) {
                names.add(key);
            }
        }
        return new VersionedEndpoints(flow, names);
    }

    /** Returns names without a version, for example {@code direct:order-queue}. */
    public Set<String> names() {
        return names;
    }

    public boolean contains(String name) {
        return names.contains(name);
    }

    /** Returns the name of an endpoint, or the id of a route, in a flow version. */
    public static String versioned(String flow, String name, int version) {
        String bare = name.substring(Math.max(name.lastIndexOf(':'), name.lastIndexOf('/')) + 1);
        boolean tellsTheFlow = bare.equals(flow) || bare.startsWith(flow + ".");
        return name + "@" + (tellsTheFlow ? "" : flow + ".") + version;
    }

    public static boolean isQueueOfVersion(String queue) {
        return QUEUE_OF_VERSION.matcher(queue).matches();
    }

    /** Returns a copy of the tree in which each local name has the version; positions are unchanged. */
    public Node versioned(Node root, int version) {
        return copy(root, version, new IdentityHashMap<>());
    }

    /** Returns the endpoint of a {@code from} or {@code to}, with {@code direct} and {@code name} joined. */
    public static Optional<String> uriOf(Node endpoint) {
        if (endpoint instanceof ScalarNode scalar) {
            return Optional.of(scalar.getValue());
        }
        return Nodes.text(endpoint, "uri")
                .map(uri -> nameParameter(endpoint)
                        .filter(name -> !uri.contains(":"))
                        .map(name -> uri + ":" + name)
                        .orElse(uri));
    }

    /** Returns the scheme and name of an endpoint, without slashes, options and the optional word {@code queue:}. */
    public static String keyOf(String uri) {
        Matcher name = NAME.matcher(uri);
        if (name.lookingAt()) {
            return key(name);
        }
        int options = uri.indexOf('?');
        return options < 0 ? uri : uri.substring(0, options);
    }

    /** Returns the names in a text, in order. */
    public static List<String> in(String text) {
        return NAME.matcher(text).results().map(VersionedEndpoints::key).toList();
    }

    private static String key(MatchResult name) {
        String scheme = name.group(1).equals("jms") ? "jms:queue" : name.group(1);
        return scheme + ":" + name.group(2);
    }

    private static boolean isLocal(String flow, String key) {
        return key.startsWith("direct:") || key.startsWith("seda:") || key.startsWith("jms:queue:" + flow + ".");
    }

    private static Optional<String> nameParameter(Node endpoint) {
        Optional<Node> parameters = Nodes.value(endpoint, "parameters");
        // Karavan splits jms:topic:x as well as jms:queue:x.
        String type = parameters
                .flatMap(node -> Nodes.text(node, "destinationType"))
                .filter(each -> !each.equals("queue"))
                .map(each -> each + ":")
                .orElse("");
        return parameters
                .flatMap(node -> Nodes.text(node, "name"))
                .or(() -> parameters
                        .flatMap(node -> Nodes.text(node, "destinationName"))
                        .map(name -> type + name));
    }

    private Node copy(Node node, int version, Map<Node, Node> done) {
        Node known = done.get(node);
        if (known != null) {
            return known;
        }
        Node copied = node;
        if (node instanceof ScalarNode scalar) {
            copied = copy(scalar, rewritten(scalar.getValue(), version));
        } else if (node instanceof SequenceNode sequence) {
            List<Node> items = new ArrayList<>();
            for (Node item : sequence.getValue()) {
                items.add(copy(item, version, done));
            }
            copied = new SequenceNode(
                    node.getTag(), true, items, sequence.getFlowStyle(), node.getStartMark(), node.getEndMark());
        } else if (node instanceof MappingNode mapping) {
            copied = copy(mapping, version, done);
        }
        done.put(node, copied);
        return copied;
    }

    private MappingNode copy(MappingNode mapping, int version, Map<Node, Node> done) {
        boolean named = uriOf(mapping)
                .filter(uri -> nameParameter(mapping).isPresent())
                .filter(uri -> names.contains(keyOf(uri)))
                .isPresent();
        List<NodeTuple> tuples = new ArrayList<>();
        for (NodeTuple tuple : mapping.getValue()) {
            boolean parameters = named && Nodes.is(tuple.getKeyNode(), "parameters");
            Node value = parameters
                    ? withVersionedName((MappingNode) tuple.getValueNode(), version)
                    : copy(tuple.getValueNode(), version, done);
            tuples.add(new NodeTuple(tuple.getKeyNode(), value));
        }
        return new MappingNode(
                mapping.getTag(), true, tuples, mapping.getFlowStyle(), mapping.getStartMark(), mapping.getEndMark());
    }

    private MappingNode withVersionedName(MappingNode parameters, int version) {
        List<NodeTuple> tuples = new ArrayList<>();
        for (NodeTuple tuple : parameters.getValue()) {
            boolean name = Nodes.is(tuple.getKeyNode(), "name") || Nodes.is(tuple.getKeyNode(), "destinationName");
            Node value = name && tuple.getValueNode() instanceof ScalarNode scalar
                    ? copy(scalar, versioned(flow, scalar.getValue(), version))
                    : tuple.getValueNode();
            tuples.add(new NodeTuple(tuple.getKeyNode(), value));
        }
        return new MappingNode(
                parameters.getTag(),
                true,
                tuples,
                parameters.getFlowStyle(),
                parameters.getStartMark(),
                parameters.getEndMark());
    }

    private static ScalarNode copy(ScalarNode scalar, String value) {
        return new ScalarNode(
                scalar.getTag(), true, value, scalar.getScalarStyle(), scalar.getStartMark(), scalar.getEndMark());
    }

    private String rewritten(String text, int version) {
        Matcher name = NAME.matcher(text);
        StringBuilder out = new StringBuilder();
        while (name.find()) {
            String found = names.contains(key(name)) ? versioned(flow, name.group(), version) : name.group();
            name.appendReplacement(out, Matcher.quoteReplacement(found));
        }
        return name.appendTail(out).toString();
    }
}
