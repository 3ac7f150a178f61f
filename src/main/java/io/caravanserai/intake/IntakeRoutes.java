package io.caravanserai.intake;

import io.caravanserai.flow.yaml.RouteName;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The running routes that begin with {@code orders:}, by source, such as {@code jms:orders}. Parallel versions of a flow
 * share a source: each message enters the newest version that runs when the message arrives. Thread-safe.
 */
public final class IntakeRoutes {
    private final Map<String, TreeMap<Integer, OrdersConsumer>> bySource = new HashMap<>();
    private volatile Map<String, OrdersConsumer> newest = Map.of();
    private volatile SourceListener listener = sources -> {};

    /** Learns which sources have routes. */
    @FunctionalInterface
    interface SourceListener {
        /** Called after each change, while routes start or stop. */
        void changed(Set<String> sources);
    }

    /** Replaces the listener, and tells it which sources have routes now. */
    synchronized void listen(SourceListener replacement) {
        listener = replacement;
        replacement.changed(newest.keySet());
    }

    /** The route that messages of a source enter now; empty when no route has this source. */
    Optional<OrdersConsumer> of(String source) {
        return Optional.ofNullable(newest.get(source));
    }

    synchronized void join(OrdersConsumer consumer) {
        TreeMap<Integer, OrdersConsumer> versions = bySource.computeIfAbsent(consumer.source(), any -> new TreeMap<>());
        for (OrdersConsumer other : versions.values()) {
            if (other != consumer && !areVersionsOfOneFlow(other.getRouteId(), consumer.getRouteId())) {
                throw new IllegalStateException("the routes " + other.getRouteId() + " and " + consumer.getRouteId()
                        + " both take orders from " + consumer.source() + "; give each route a source of its own");
            }
        }
        versions.put(consumer.version(), consumer);
        refresh();
    }

    private static boolean areVersionsOfOneFlow(String one, String other) {
        Optional<RouteName> first = RouteName.of(one);
        Optional<RouteName> second = RouteName.of(other);
        return first.isPresent()
                && second.isPresent()
                && first.get().version() != second.get().version()
                && first.get().possibleFlows().stream().anyMatch(second.get()::isOf);
    }

    synchronized void leave(OrdersConsumer consumer) {
        TreeMap<Integer, OrdersConsumer> versions = bySource.get(consumer.source());
        if (versions != null && versions.remove(consumer.version(), consumer)) {
            refresh();
        }
    }

    private void refresh() {
        bySource.values().removeIf(Map::isEmpty);
        Map<String, OrdersConsumer> now = new HashMap<>();
        bySource.forEach(
                (source, versions) -> now.put(source, versions.lastEntry().getValue()));
        newest = Map.copyOf(now);
        listener.changed(newest.keySet());
    }
}
