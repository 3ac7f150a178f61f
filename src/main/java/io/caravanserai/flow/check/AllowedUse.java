package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * Checks the limits of {@code hub.flows.allowed-components}: components by name, beans as {@code bean:NAME}, languages
 * as {@code language:NAME}. The limits do not apply to the flows of the hub.
 */
public final class AllowedUse {
    private static final String KEY = "hub.flows.allowed-components";
    private static final String BEAN = "bean:";
    private static final String LANGUAGE = "language:";
    /** Components inside the hub, and languages that only read the message. */
    private static final Set<String> ALWAYS = Set.of(
            "direct",
            "saga",
            "events",
            "orders",
            "kamelet",
            "language:constant",
            "language:header",
            "language:exchangeProperty",
            "language:variable",
            "bean:once",
            "bean:commandReply");

    private static final Set<String> HTTP = Set.of("http", "https", "vertx-http");

    private static final Set<String> LANGUAGES = Set.of(
            "csimple",
            "datasonnet",
            "groovy",
            "java",
            "joor",
            "jq",
            "js",
            "jsonpath",
            "language",
            "method",
            "mvel",
            "ognl",
            "python",
            "ref",
            "simple",
            "spel",
            "tokenize",
            "wasm",
            "xpath",
            "xquery",
            "xtokenize");

    private final String file;
    private final Set<String> allowed;
    private final List<Fault> faults = new ArrayList<>();

    /** @param names the names in the setting */
    private record Limit(Set<String> names) {}

    private AllowedUse(String file, Set<String> allowed) {
        this.file = file;
        this.allowed = allowed;
    }

    /**
     * Limits the flows of a context from now on.
     * @param names empty allows all
     */
    public static void limit(CamelContext context, Set<String> names) {
        if (!names.isEmpty()) {
            context.getRegistry().bind(KEY, new Limit(Set.copyOf(names)));
        }
    }

    static List<Fault> check(String file, Node root, CheckContext around) {
        Limit limit = around.context().getRegistry().lookupByNameAndType(KEY, Limit.class);
        if (limit == null) {
            return List.of();
        }
        AllowedUse use = new AllowedUse(file, limit.names());
        EndpointUse.in(root).forEach(use::endpoint);
        Nodes.walk(root, use::languagesAndBeans);
        Nodes.valuesOf(root, "rest").forEach(rest -> use.name("rest", rest));
        return use.faults;
    }

    private void endpoint(EndpointUse use) {
        String scheme = use.scheme();
        if (scheme.contains("${") || scheme.contains("{{")) {
            faults.add(Fault.at(
                    file, use.node(), "the component must be plain, for " + KEY + " limits what flows may use"));
        } else if (scheme.equals("bean") || scheme.equals("class")) {
            name(BEAN + use.uri().substring(use.uri().indexOf(':') + 1).split("[?]", 2)[0], use.node());
        } else if (scheme.equals("language")) {
            name(LANGUAGE + use.uri().substring(use.uri().indexOf(':') + 1).split("[:?]", 2)[0], use.node());
        } else if (scheme.equals("outside")) {
            outside(use);
        } else {
            name(scheme, use.node());
        }
    }

    /**
     * Checks a call to an outside service, as in the Kamelets: allowed by name, or by the component of the transport.
     */
    private void outside(EndpointUse use) {
        String[] parts = use.uri().split(":", 3);
        String carrier = parts.length < 2 ? "" : parts[1];
        boolean isHttp = carrier.equals("http") || carrier.equals("https");
        boolean isCarrierAllowed = isHttp ? HTTP.stream().anyMatch(allowed::contains) : allowed.contains(carrier);
        if (!isCarrierAllowed) {
            name("outside", use.node());
        }
    }

    private void languagesAndBeans(Node node) {
        if (!(node instanceof MappingNode mapping)) {
            return;
        }
        for (NodeTuple tuple : mapping.getValue()) {
            Node value = tuple.getValueNode();
            switch (((ScalarNode) tuple.getKeyNode()).getValue()) {
                case "language" -> Nodes.text(value, "language").ifPresent(name -> name(LANGUAGE + name, value));
                case "method" -> method(mapping, value);
                case "bean" -> bean(value);
                case "ref" -> {
                    if (value instanceof ScalarNode text && !text.getValue().isEmpty()) {
                        name(BEAN + text.getValue().replaceFirst("^#", ""), value);
                    }
                }
                default -> {
                    String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                    if (LANGUAGES.contains(key)) {
                        name(LANGUAGE + key, tuple.getKeyNode());
                    }
                }
            }
        }
    }

    /** The key has two meanings: a language below an expression, and the method name beside a bean. */
    private void method(MappingNode around, Node value) {
        if (value instanceof MappingNode) {
            bean(value);
        } else if (Nodes.value(around, "ref").isEmpty()
                && Nodes.value(around, "beanType").isEmpty()) {
            bean(value);
        }
    }

    private void bean(Node value) {
        if (value instanceof ScalarNode text) {
            name(BEAN + text.getValue(), value);
        } else {
            Nodes.text(value, "beanType").ifPresent(type -> name(BEAN + type, value));
        }
    }

    private void name(String name, Node node) {
        if (!allowed.contains(name) && !ALWAYS.contains(name)) {
            Fault fault = Fault.at(file, node, "'" + name + "' is not allowed: " + KEY + " does not list it");
            if (!faults.contains(fault)) {
                faults.add(fault);
            }
        }
    }
}
