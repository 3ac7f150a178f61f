package io.caravanserai.flow.check;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.MultipleConsumersSupport;
import org.apache.camel.Route;

/** Checks that only one route consumes from an endpoint, unless the component supports several consumers. For one file. */
final class SingleConsumers {
    private static final String ORDERS = "orders:";

    private final String flow;
    private final CamelContext live;
    private final Set<String> here = new HashSet<>();

    SingleConsumers(String flow, CamelContext live) {
        this.flow = flow;
        this.live = live;
    }

    /** Returns why a route cannot consume from the endpoint; empty if it can. */
    Optional<String> fault(Endpoint endpoint) {
        String uri = endpoint.getEndpointUri();
        // Versions of one flow share a source of orders, and two flows cannot.
        if (!uri.startsWith(ORDERS)
                && endpoint instanceof MultipleConsumersSupport several
                && several.isMultipleConsumersSupported()) {
            return Optional.empty();
        }
        if (!here.add(uri)) {
            return Optional.of("another route of this file consumes from '" + uri + "': only one route can");
        }
        return live.getRoutes().stream()
                .filter(route -> uri.equals(route.getEndpoint().getEndpointUri()))
                .map(Route::getRouteId)
                .filter(id -> !isOwn(id))
                .filter(id -> live.getRouteController().getRouteStatus(id).isStarted())
                .findFirst()
                .map(id -> "the route '" + id.replaceFirst("@.*", "") + "' of another flow consumes from '" + uri
                        + "': only one route can");
    }

    /** Whether the route belongs to a version of this flow: {@code id@flow.3}, or {@code flow@3}. */
    private boolean isOwn(String routeId) {
        return routeId.matches(Pattern.quote(flow) + "@[0-9]+|.*@" + Pattern.quote(flow) + "[.][0-9]+");
    }
}
