package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.DidYouMean;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.camel.support.PatternHelper;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * Checks route configurations that Camel ignores silently: an id in a route that is not in the file, and a route
 * configuration that applies to no route.
 */
final class ConfigurationsCheck {
    /**
     * The id of the route configuration for all routes without a configuration id; a missing id has the same meaning.
     */
    private static final String EVERY_ROUTE = "*";

    private final String file;
    private final List<Node> configurations;
    /** The nodes with configuration ids in routes. */
    private final List<ScalarNode> named = new ArrayList<>();
    /** Number of routes without a configuration id. */
    private final long routesWithout;

    private ConfigurationsCheck(String file, Node root) {
        this.file = file;
        this.configurations = Nodes.valuesOf(root, "routeConfiguration");
        for (Node route : Nodes.valuesOf(root, "route")) {
            if (Nodes.value(route, "routeConfigurationId").orElse(null) instanceof ScalarNode ids) {
                named.add(ids);
            }
        }
        long routes = Nodes.valuesOf(root, "from").stream()
                .filter(from -> Nodes.value(from, "steps").isPresent())
                .count();
        this.routesWithout = routes - named.size();
    }

    static List<Fault> check(String file, Node root) {
        ConfigurationsCheck check = new ConfigurationsCheck(file, root);
        List<Fault> missing = check.missing();
        return missing.isEmpty() ? check.idle() : missing;
    }

    private List<Fault> missing() {
        List<Fault> faults = new ArrayList<>();
        List<String> ids = configurations.stream()
                .flatMap(each -> Nodes.text(each, "id").stream())
                .toList();
        for (ScalarNode each : named) {
            patterns(each)
                    .filter(pattern -> ids.stream().noneMatch(id -> PatternHelper.matchPattern(id, pattern)))
                    .map(pattern -> "no route configuration of this file has the id '" + pattern + "'"
                            + DidYouMean.of(pattern, ids))
                    .forEach(message -> faults.add(Fault.at(file, each, message)));
        }
        return faults;
    }

    private List<Fault> idle() {
        List<Fault> faults = new ArrayList<>();
        for (Node each : configurations) {
            Optional<Node> id = Nodes.value(each, "id");
            String name = Nodes.text(each, "id").orElse(EVERY_ROUTE);
            boolean common = name.equals(EVERY_ROUTE);
            boolean counts = common && routesWithout > 0
                    || id.isPresent()
                            && named.stream()
                                    .flatMap(ConfigurationsCheck::patterns)
                                    .anyMatch(pattern -> PatternHelper.matchPattern(name, pattern));
            if (!counts) {
                faults.add(Fault.at(
                        file,
                        id.orElse(each),
                        "the route configuration counts for no route of this file: "
                                + (common
                                        ? "none is without a routeConfigurationId"
                                        : "none has the routeConfigurationId '" + name
                                                + "'; with the id \"*\" it counts for all that have no such id")));
            }
        }
        return faults;
    }

    /** Splits in the same way as Camel: a blank after a comma belongs to the id, and properties are not resolved. */
    private static Stream<String> patterns(ScalarNode ids) {
        return Arrays.stream(ids.getValue().split(","));
    }
}
