package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Checks that a flow reads no secret of the hub, and that the function of each placeholder exists. */
final class SecretsCheck {
    /** Keys with text that Camel does not evaluate. */
    private static final Set<String> TEXTS_FOR_PEOPLE = Set.of("description", "note");

    private final String file;
    private final CamelContext context;
    private final List<Fault> faults = new ArrayList<>();

    private SecretsCheck(String file, CamelContext context) {
        this.file = file;
        this.context = context;
    }

    static List<Fault> check(String file, Node root, CheckContext around) {
        PlaceholderGuard.install(around.context());
        SecretsCheck check = new SecretsCheck(file, around.context());
        Nodes.walk(root, check::visit);
        for (Node beans : Nodes.valuesOf(root, "beans")) {
            check.beans(beans);
        }
        for (EndpointUse use : EndpointUse.in(root)) {
            if (use.scheme().equals("class")) {
                check.type(use.uri().substring("class:".length()).split("[?]", 2)[0], use.node());
            }
        }
        return check.faults;
    }

    private void visit(Node node) {
        if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                if (tuple.getValueNode() instanceof ScalarNode value && !TEXTS_FOR_PEOPLE.contains(key)) {
                    text(value);
                    if (key.equals("beanType")) {
                        type(value.getValue(), value);
                    }
                }
            }
        } else if (node instanceof SequenceNode list) {
            list.getValue().stream().filter(ScalarNode.class::isInstance).forEach(item -> text((ScalarNode) item));
        }
    }

    private void beans(Node beans) {
        if (beans instanceof SequenceNode list) {
            for (Node bean : list.getValue()) {
                for (String key : List.of("type", "factoryBean")) {
                    Nodes.value(bean, key)
                            .filter(ScalarNode.class::isInstance)
                            .ifPresent(value -> type(((ScalarNode) value).getValue(), value));
                }
            }
        }
    }

    private void type(String written, Node node) {
        String name = written.replaceFirst("^#?(?:class|type):", "");
        if (ExpressionGuard.isClosed(name)) {
            faults.add(Fault.at(file, node, ExpressionGuard.closed(name)));
        }
    }

    private void text(ScalarNode node) {
        String text = node.getValue();
        Optional<String> fault = text.contains("{{") ? placeholder(text) : Optional.empty();
        fault.or(() -> text.contains("{") || text.contains("#") ? ExpressionGuard.fault(text) : Optional.empty())
                .ifPresent(message -> faults.add(Fault.at(file, node, message)));
    }

    /** Camel reports a missing property with more detail. */
    private Optional<String> placeholder(String text) {
        try {
            context.resolvePropertyPlaceholders(text);
        } catch (RuntimeException e) {
            for (Throwable each = e; each != null; each = each.getCause()) {
                if (each instanceof PlaceholderGuard.RefusedException refused) {
                    return Optional.of(refused.getMessage());
                }
            }
        }
        return Optional.empty();
    }
}
