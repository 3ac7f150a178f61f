package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.FlowText;
import io.caravanserai.flow.yaml.Nodes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** The beans that a flow declares, as bound in the registry before the flow was loaded. */
public final class FlowBeans {
    private final CamelContext context;
    private final Map<String, Optional<Object>> before = new LinkedHashMap<>();

    private FlowBeans(CamelContext context) {
        this.context = context;
    }

    /** Records the current beans under the names that the text will bind. */
    public static FlowBeans remember(CamelContext context, String file, String text) {
        FlowBeans beans = new FlowBeans(context);
        FlowText.tree(file, text)
                .ifPresent(root -> names(root)
                        .forEach(name -> beans.before.put(
                                name, Optional.ofNullable(context.getRegistry().lookupByName(name)))));
        return beans;
    }

    /** Returns the names of the beans that a tree declares. */
    static List<String> names(Node root) {
        return Nodes.valuesOf(root, "beans").stream()
                .filter(SequenceNode.class::isInstance)
                .flatMap(beans -> ((SequenceNode) beans).getValue().stream())
                .flatMap(bean -> Nodes.text(bean, "name").stream())
                .toList();
    }

    /** Binds the recorded beans again: a refused text leaves the beans of the running version unchanged. */
    public void restore() {
        before.forEach((name, bean) -> {
            if (bean.isPresent()) {
                context.getRegistry().bind(name, bean.get());
            } else {
                context.getRegistry().unbind(name);
            }
        });
    }
}
