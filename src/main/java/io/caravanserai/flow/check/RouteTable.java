package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** The routes of flows that run side by side, by entry endpoint, with Kamelets inlined. */
final class RouteTable {
    private static final String EVENTS = "events:";

    private final Map<String, Route> byEndpoint = new HashMap<>();
    private final List<Route> all = new ArrayList<>();

    /**
     * A route of a file.
     * @param definition the properties beside the steps, for example the error handler
     * @param endpoint the entry endpoint, for example {@code direct:order-queue}
     * @param style the style of the consumed events; empty for all styles, and without events
     * @param types the types of the consumed events; empty for all types, and without events
     */
    record Route(
            String file,
            Node definition,
            String endpoint,
            List<Node> steps,
            Optional<String> style,
            Set<String> types) {
        boolean isOfEvents() {
            return endpoint.startsWith(EVENTS);
        }

        /** Whether the route consumes an event of an order in the style. */
        boolean hears(String event, String orderStyle) {
            return isOfEvents()
                    && style.filter(each -> !each.equals(orderStyle)).isEmpty()
                    && (types.isEmpty() || types.contains(event));
        }
    }

    /** @param trees by file */
    RouteTable(Map<String, Node> trees) {
        new TreeMap<>(trees).forEach((file, root) -> {
            Nodes.walk(
                    root,
                    definition -> Nodes.value(definition, "from")
                            .ifPresent(from ->
                                    VersionedEndpoints.uriOf(from).ifPresent(uri -> add(file, definition, from, uri))));
        });
    }

    private void add(String file, Node definition, Node from, String uri) {
        String endpoint = VersionedEndpoints.keyOf(uri);
        Route route = new Route(
                file,
                definition,
                endpoint,
                list(from, "steps"),
                option(from, uri, "style"),
                option(from, uri, "types")
                        .map(types -> Arrays.stream(types.split(","))
                                .map(String::strip)
                                .collect(Collectors.toSet()))
                        .orElse(Set.of()));
        all.add(route);
        byEndpoint.putIfAbsent(endpoint, route);
    }

    private static Optional<String> option(Node from, String uri, String name) {
        int query = uri.indexOf('?');
        return Nodes.value(from, "parameters")
                .flatMap(parameters -> Nodes.text(parameters, name))
                .or(() -> query < 0
                        ? Optional.empty()
                        : Arrays.stream(uri.substring(query + 1).split("&"))
                                .filter(each -> each.startsWith(name + "="))
                                .map(each -> each.substring(name.length() + 1))
                                .findFirst());
    }

    /** Returns the items of the list under a key; empty without a list. */
    static List<Node> list(Node node, String key) {
        return Nodes.value(node, key).orElse(null) instanceof SequenceNode list ? list.getValue() : List.of();
    }

    static boolean isTrue(Node node, String key) {
        return Nodes.text(node, key).filter("true"::equals).isPresent();
    }

    Optional<Route> at(String endpoint) {
        return Optional.ofNullable(byEndpoint.get(endpoint));
    }

    List<Route> all() {
        return all;
    }

    /** Returns the flows that orders enter: flows with a route that begins with the flow name. */
    List<String> flows() {
        return all.stream()
                .filter(route -> route.endpoint().equals("direct:" + FlowVersion.flowOf(route.file())))
                .map(route -> FlowVersion.flowOf(route.file()))
                .distinct()
                .toList();
    }
}
