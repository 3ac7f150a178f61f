package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * What carries events between services. Thread-safe.
 *
 * <p>Each subscriber hears every event at least once, and those of one order in the order they were published, also
 * across restarts of the hub or of the broker. Several hubs that subscribe under one name share its events.
 */
public interface EventBus extends AutoCloseable {

    /**
     * Publishes a batch, in its order. The future completes when the broker holds all of it durably; when it fails, any
     * part may have been published, and the same batch must be published again before anything later.
     */
    CompletableFuture<Void> publish(List<CloudEvent> events);

    /**
     * Hears events from now on, or from where the subscriber of this name has come; what is published while nobody of
     * that name listens is kept for it.
     *
     * @param subscriber a lasting name of letters, digits, dots and dashes
     */
    Subscription subscribe(String subscriber, EventHandler handler);

    /** As {@link #subscribe(String, EventHandler)}, of the events that pass the filter. */
    default Subscription subscribe(String subscriber, EventFilter filter, EventHandler handler) {
        return subscribe(subscriber, filter.before(handler));
    }

    /** Why nothing can be published or heard at present; empty while all is well. */
    Optional<String> unavailableReason();

    /** Ends all subscriptions of this hub, beside each other; events can still be published. */
    void unsubscribeAll();

    /** Ends all subscriptions of this hub, and lets go of the broker. What is kept for subscribers stays. */
    @Override
    void close();

    /** A subscriber of this hub that listens. */
    interface Subscription extends AutoCloseable {

        /** Hears nothing more; what was heard and not yet handled is heard again by whoever subscribes next. */
        @Override
        void close();
    }
}
