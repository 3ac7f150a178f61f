package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Carries events between services. Thread-safe.
 *
 * <p>Each subscriber receives every event at least once. The events of one order arrive in publication order, also
 * across restarts of the hub or of the broker. Hubs that subscribe under one name share the events of that subscriber.
 */
public interface EventBus extends AutoCloseable {

    /**
     * Publishes a batch in the given order. The future completes when the broker holds the whole batch durably. When
     * the future fails, any part of the batch may have been published; the caller must publish the same batch again
     * before any later event.
     */
    CompletableFuture<Void> publish(List<CloudEvent> events);

    /**
     * Consumes events. A new subscriber starts with the next event; a known subscriber resumes after the last handled
     * event. The broker keeps events for a known subscriber without an active subscription.
     *
     * @param subscriber a stable name of letters, digits, dots and dashes
     */
    Subscription subscribe(String subscriber, EventHandler handler);

    /** As {@link #subscribe(String, EventHandler)}, restricted to the events that pass the filter. */
    default Subscription subscribe(String subscriber, EventFilter filter, EventHandler handler) {
        return subscribe(subscriber, filter.before(handler));
    }

    /** Why the bus cannot publish or consume at present; empty when the bus is available. */
    Optional<String> unavailableReason();

    /** Closes all subscriptions of this hub in parallel. Publishing still works. */
    void unsubscribeAll();

    /**
     * Closes all subscriptions of this hub and disconnects from the broker. The broker keeps the undelivered events of
     * the subscribers.
     */
    @Override
    void close();

    /** An active subscription of this hub. */
    interface Subscription extends AutoCloseable {

        /** Stops consuming. The next subscription of the same name receives the unhandled events again. */
        @Override
        void close();
    }
}
