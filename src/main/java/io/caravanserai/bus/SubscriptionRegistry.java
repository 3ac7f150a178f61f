package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventType;
import io.caravanserai.order.OrderStyle;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The subscribed routes of this hub by subscriber. Parallel versions of a flow share one subscription: each event goes
 * to the newest version that runs when the event arrives. Thread-safe.
 */
final class SubscriptionRegistry {
    private final Supplier<EventBus> bus;
    private final Map<String, Shared> bySubscriber = new HashMap<>();
    /**
     * Snapshot, readable without the lock. The lock is held during broker calls, and the store's writer thread must not
     * wait for a broker call.
     */
    private volatile List<ActiveSubscription> current = List.of();

    private record ActiveSubscription(String subscriber, EventFilter filter, Instant since) {
        boolean isOf(OrderStyle style) {
            return filter.style().filter(style::equals).isPresent();
        }

        boolean wants(EventType type) {
            return filter.types().isEmpty() || filter.types().contains(type);
        }
    }

    SubscriptionRegistry(Supplier<EventBus> bus) {
        this.bus = bus;
    }

    synchronized void join(EventsConsumer consumer) {
        try {
            bySubscriber.computeIfAbsent(consumer.subscriber(), Shared::new).add(consumer);
        } finally {
            refreshSnapshot();
        }
    }

    private void refreshSnapshot() {
        current = bySubscriber.values().stream()
                .filter(shared -> shared.filter != null)
                .map(shared -> new ActiveSubscription(shared.subscriber, shared.filter, shared.since))
                .toList();
    }

    /** As {@link EventsComponent#reacting}. */
    Set<String> reacting(OrderStyle style, EventType type, Instant at, Instant settled) {
        return current.stream()
                .filter(shared -> shared.isOf(style) && shared.wants(type))
                .filter(shared -> !shared.since.isAfter(settled) || !shared.since.isAfter(at))
                .map(shared -> shared.subscriber)
                .collect(Collectors.toSet());
    }

    boolean isListening(OrderStyle style) {
        return current.stream().anyMatch(shared -> shared.isOf(style));
    }

    CompletableFuture<Void> again(String subscriber, CloudEvent event) {
        Shared shared;
        synchronized (this) {
            shared = bySubscriber.get(subscriber);
        }
        return shared == null
                ? CompletableFuture.failedFuture(
                        new IllegalStateException("no running flow has the subscriber " + subscriber))
                : shared.newest.again(event);
    }

    synchronized void leave(EventsConsumer consumer) {
        Shared shared = bySubscriber.get(consumer.subscriber());
        if (shared != null && shared.remove(consumer)) {
            bySubscriber.remove(consumer.subscriber());
        }
        refreshSnapshot();
    }

    private final class Shared implements EventHandler {
        private final String subscriber;
        private final Instant since = Instant.now();
        private final TreeMap<Integer, EventsConsumer> versions = new TreeMap<>();
        private volatile EventsConsumer newest;
        private EventFilter filter;
        private EventBus.Subscription subscription;

        Shared(String subscriber) {
            this.subscriber = subscriber;
        }

        void add(EventsConsumer consumer) {
            EventsConsumer other = versions.putIfAbsent(consumer.version(), consumer);
            if (other != null && other != consumer) {
                throw new IllegalStateException("the routes " + other.getRouteId() + " and " + consumer.getRouteId()
                        + " both subscribe as " + subscriber
                        + "; give each route a subscriber of its own");
            }
            try {
                listen();
            } catch (RuntimeException e) {
                // The new version does not run; the previous version keeps the subscription.
                remove(consumer);
                throw e;
            }
        }

        /** Removes a consumer; true when no version is left. */
        boolean remove(EventsConsumer consumer) {
            if (!versions.remove(consumer.version(), consumer)) {
                return versions.isEmpty();
            }
            if (versions.isEmpty()) {
                unsubscribe();
                return true;
            }
            listen();
            return false;
        }

        private void listen() {
            newest = versions.lastEntry().getValue();
            if (newest.filter().equals(filter)) {
                return;
            }
            unsubscribe();
            subscription = bus.get().subscribe(subscriber, newest.filter(), this);
            filter = newest.filter();
        }

        private void unsubscribe() {
            if (subscription != null) {
                subscription.close();
                subscription = null;
                filter = null;
            }
        }

        @Override
        public CompletableFuture<Boolean> keepsTrying(CloudEvent event) {
            return newest.keepsTrying(event);
        }

        @Override
        public CompletableFuture<Boolean> takeOver(CloudEvent event, Throwable failure) {
            return newest.takeOver(event, failure);
        }

        @Override
        public CompletableFuture<Void> handle(CloudEvent event) {
            return newest.handle(event);
        }
    }
}
