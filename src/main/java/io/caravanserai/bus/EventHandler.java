package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import java.util.concurrent.CompletableFuture;

/** Handles events of one subscriber. Called with one event of an order at a time, and with many orders at once. */
@FunctionalInterface
public interface EventHandler {

    /**
     * Handles an event, in the newest version of its type. Once the future completes the event is not delivered again,
     * so the effect must be durable by then. When it fails the event is tried again, with growing pauses, and in the end
     * becomes a dead letter. May be called again with an event that was handled before.
     */
    CompletableFuture<Void> handle(CloudEvent event);

    /**
     * Asked when an event has used its attempts.
     *
     * @return true to try it again for now: what it drives still waits for it. False lets it become a dead letter
     */
    default CompletableFuture<Boolean> keepsTrying(CloudEvent event) {
        return CompletableFuture.completedFuture(false);
    }

    /**
     * Asked when an event has used its attempts, before {@link #keepsTrying}.
     *
     * @return true when the event is seen to elsewhere, durably: then the event is done with
     */
    default CompletableFuture<Boolean> takeOver(CloudEvent event, Throwable failure) {
        return CompletableFuture.completedFuture(false);
    }

    /** Whether events of a type are handled at all; the others are passed over unread. */
    default boolean wants(String type) {
        return true;
    }
}
