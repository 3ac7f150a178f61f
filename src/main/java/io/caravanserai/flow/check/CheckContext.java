package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Kamelets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * The environment of a flow file in a check.
 * @param context the context of the hub with components, beans and properties; not changed by a check
 * @param kamelets the Kamelets that the flow may use
 * @param served the {@code direct:} endpoints of Java routes
 * @param others endpoint names of other flow files, with the file
 * @param ids the ids of all other routes, with the file, or with an empty text for a Java route
 * @param doors HTTP paths of other flow files, by file
 * @param trees the trees of other flow files, with Kamelets inlined
 * @param needed the names in the running version of this file that other files call, with the calling file
 */
public record CheckContext(
        CamelContext context,
        Kamelets kamelets,
        Set<String> served,
        Map<String, String> others,
        Map<String, String> ids,
        Map<String, List<HttpIngress.Door>> doors,
        Map<String, Node> trees,
        Map<String, String> needed) {

    public CheckContext with(Kamelets others) {
        return new CheckContext(context, others, served, this.others, ids, doors, trees, needed);
    }
}
