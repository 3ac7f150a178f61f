package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Kamelets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * What a flow file finds around it.
 *
 * @param context the hub's context: its components, beans and properties; not changed by a check
 * @param kamelets those it may name
 * @param served the {@code direct:} endpoints that Java routes serve
 * @param others the names that other flow files serve, each with its file
 * @param ids the ids of all other routes, with the file, or with the empty text for a Java route
 * @param doors what other flow files serve over HTTP, by file
 * @param trees the other flow files, with Kamelets written into them
 * @param needed the names of the running version of this file that other files call, each with the calling file
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
