package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * Checks that no order is shipped unpaid, and that no cancelled order keeps a payment or items, on every path through a
 * flow: calls, queues and events, choices and parallel branches, across files.
 */
final class StepRules {
    private final String file;
    private final FlowFiles files;
    private final Set<Fault> faults = new LinkedHashSet<>();
    private final Set<RouteTable.Route> walked = new HashSet<>();

    private StepRules(String file, FlowFiles files) {
        this.file = file;
        this.files = files;
    }

    static List<Fault> check(String file, Node root, CheckContext around) {
        Map<String, Node> trees = new TreeMap<>(around.trees());
        trees.put(file, root);
        StepRules rules = new StepRules(file, FlowFiles.of(trees, around.context()));
        for (String flow : rules.files.routes().flows()) {
            OrderJourney journey = new OrderJourney(flow, file, rules.files);
            rules.faults.addAll(journey.check());
            rules.walked.addAll(journey.walked());
        }
        if (!Nodes.valuesOf(root, "saga").isEmpty()) {
            rules.checkUnentered();
        }
        return List.copyOf(rules.faults);
    }

    /** Checks the compensations of routes in this file that no known order enters. */
    private void checkUnentered() {
        RouteTable routes = files.routes();
        Set<String> called = new HashSet<>();
        for (RouteTable.Route route : routes.all()) {
            route.steps()
                    .forEach(step -> Nodes.walk(step, node -> {
                        VersionedEndpoints.uriOf(node)
                                .map(VersionedEndpoints::keyOf)
                                .ifPresent(called::add);
                        if (node instanceof ScalarNode text) {
                            called.addAll(VersionedEndpoints.in(text.getValue()));
                        }
                    }));
        }
        for (RouteTable.Route route : routes.all()) {
            if (route.file().equals(file) && !walked.contains(route) && !called.contains(route.endpoint())) {
                faults.addAll(new OrderJourney("", file, files).follow(route));
            }
        }
    }
}
