package io.caravanserai.flow.yaml;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * A place in a flow file with an endpoint.
 * @param role the key of the endpoint, for example {@code from}, {@code to} or {@code compensation}
 * @param uri the text as written
 * @param node the node of the text
 * @param full the endpoint, with {@code parameters.name} appended to the scheme
 * @param parameters options in a mapping below the endpoint
 */
public record EndpointUse(String role, String uri, ScalarNode node, String full, Optional<MappingNode> parameters) {
    private static final Set<String> SHORT_FORMS = Set.of("from", "to", "toD", "compensation", "completion", "poll");
    private static final Set<String> URIS = Set.of("uri", "deadLetterUri", "afterUri");
    /** The {@code uri} of these steps is a pattern that may match no endpoint. */
    private static final Set<String> PATTERNS = Set.of("interceptFrom", "interceptSendToEndpoint");
    // The content of these keys belongs to a component or a bean; the key "uri" has another meaning there.
    private static final Set<String> FOREIGN = Set.of("parameters", "properties", "beans", "constructors");

    public static List<EndpointUse> in(Node root) {
        List<EndpointUse> uses = new ArrayList<>();
        collect("", root, uses, Collections.newSetFromMap(new IdentityHashMap<>()));
        return uses;
    }

    private static void collect(String role, Node node, List<EndpointUse> uses, Set<Node> seen) {
        if (!seen.add(node)) {
            return;
        }
        if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(item -> collect(role, item, uses, seen));
        } else if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                if (tuple.getValueNode() instanceof ScalarNode text) {
                    of(role, key, text, mapping).ifPresent(uses::add);
                } else if (!FOREIGN.contains(key)) {
                    collect(key, tuple.getValueNode(), uses, seen);
                }
            }
        }
    }

    private static Optional<EndpointUse> of(String role, String key, ScalarNode text, MappingNode around) {
        if (SHORT_FORMS.contains(key)) {
            return Optional.of(new EndpointUse(key, text.getValue(), text, text.getValue(), Optional.empty()));
        }
        if (!URIS.contains(key) || key.equals("uri") && PATTERNS.contains(role)) {
            return Optional.empty();
        }
        String uri = text.getValue();
        String full = key.equals("uri") ? VersionedEndpoints.uriOf(around).orElse(uri) : uri;
        Optional<MappingNode> parameters = Nodes.value(around, "parameters")
                .filter(MappingNode.class::isInstance)
                .map(MappingNode.class::cast);
        return Optional.of(new EndpointUse(role, uri, text, full, parameters));
    }

    public String scheme() {
        int end = uri.indexOf(':');
        int options = uri.indexOf('?');
        String scheme = end < 0 || (options >= 0 && options < end) ? pathOf(uri) : uri.substring(0, end);
        return scheme.strip();
    }

    /** Whether the scheme or the name is known only at run time, from a message or from properties. */
    public boolean isDynamic() {
        String path = pathOf(full);
        return path.contains("${") || path.contains("{{");
    }

    private static String pathOf(String uri) {
        int options = uri.indexOf('?');
        return options < 0 ? uri : uri.substring(0, options);
    }

    /** Returns the text after the question mark; empty without a question mark. */
    public String query() {
        int options = uri.indexOf('?');
        return options < 0 ? "" : uri.substring(options + 1);
    }
}
