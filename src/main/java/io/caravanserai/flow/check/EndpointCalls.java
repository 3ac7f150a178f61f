package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.ArrayList;
import java.util.List;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Reads the endpoints that a step calls, and whether the step waits for the answer. */
final class EndpointCalls {
    private EndpointCalls() {}

    /** An endpoint of a step. */
    record Target(String endpoint, Node node) {}

    /** @param certain whether endpoints composed at run time are left out */
    static List<Target> in(String key, Node value, boolean certain) {
        if (key.equals("to") || key.equals("wireTap")) {
            return VersionedEndpoints.uriOf(value)
                    .map(uri -> new Target(VersionedEndpoints.keyOf(uri), place(value)))
                    .stream()
                    .toList();
        }
        List<Target> targets = new ArrayList<>();
        Nodes.walk(value, node -> {
            if (node instanceof ScalarNode text) {
                VersionedEndpoints.in(text.getValue()).stream()
                        .filter(name -> !certain || !text.getValue().contains("${"))
                        .forEach(name -> targets.add(new Target(name, text)));
            }
        });
        return targets;
    }

    /** Returns the node with the text of the endpoint, if the endpoint is one text. */
    private static Node place(Node endpoint) {
        return Nodes.value(endpoint, "uri")
                .filter(uri -> uri instanceof ScalarNode text && text.getValue().contains(":"))
                .orElse(endpoint);
    }

    static boolean isAwaited(String key, String endpoint, Node value) {
        if (key.equals("wireTap")) {
            return false;
        }
        boolean isQueue = endpoint.startsWith("jms:") || endpoint.startsWith("seda:");
        boolean asks = Nodes.text(value, "pattern").filter("InOut"::equals).isPresent()
                || Nodes.value(value, "parameters")
                        .flatMap(parameters -> Nodes.text(parameters, "exchangePattern"))
                        .filter("InOut"::equals)
                        .isPresent()
                || VersionedEndpoints.uriOf(value)
                        .filter(uri -> uri.contains("exchangePattern=InOut"))
                        .isPresent();
        return !isQueue || asks || !key.equals("to");
    }
}
