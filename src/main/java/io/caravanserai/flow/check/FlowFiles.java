package io.caravanserai.flow.check;

import java.util.Map;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * The flow files that run side by side, as {@link FlowPaths} reads them.
 * @param trees by file
 */
record FlowFiles(
        Map<String, Node> trees,
        RouteTable routes,
        EventConditions conditions,
        FailureHandlers handlers,
        OnceKeys once) {

    static FlowFiles of(Map<String, Node> trees, CamelContext context) {
        EventConditions conditions = new EventConditions(context);
        return new FlowFiles(
                trees, new RouteTable(trees), conditions, new FailureHandlers(trees, conditions), new OnceKeys(trees));
    }
}
