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

/** The beans that a flow's text declares, as they were in the registry before the text was loaded. */
public final class FlowBeans {
    private final CamelContext context;
    private final Map<String, Optional<Object>> before = new LinkedHashMap<>();

    private FlowBeans(CamelContext context) {
        this.context = context;
    }

    /** Remembers what has the names now that the text is about to bind. */
    public static FlowBeans remember(CamelContext context, String file, String text) {
        FlowBeans beans = new FlowBeans(context);
        FlowText.tree(file, text)
                .ifPresent(root -> names(root)
                        .forEach(name -> beans.before.put(
                                name, Optional.ofNullable(context.getRegistry().lookupByName(name)))));
        return beans;
    }

    /** The names of the beans that a tree declares. */
    static List<String> names(Node root) {
        return Nodes.valuesOf(root, "beans").stream()
                .filter(SequenceNode.class::isInstance)
                .flatMap(beans -> ((SequenceNode) beans).getValue().stream())
                .flatMap(bean -> Nodes.text(bean, "name").stream())
                .toList();
    }

    /** Binds what was there before: a text that is refused leaves the beans of the one that runs. */
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
