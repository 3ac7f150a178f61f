package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import java.util.concurrent.CompletableFuture;

/**
 * Handles the events of one subscriber. The bus calls a handler for one event of an order at a time, and for many
 * orders in parallel.
 */
@FunctionalInterface
public interface EventHandler {

    /**
     * Handles an event, given in the newest version of the event type. The effect must be durable when the future
     * completes, because the bus does not deliver the event again. When the future fails, the bus retries with growing
     * pauses, then adds the event to the dead letters. A handled event may be delivered again.
     */
    CompletableFuture<Void> handle(CloudEvent event);

    /**
     * Called when the attempts of an event are used up.
     *
     * @return true to keep retrying, because an open order depends on the event; false to make the event a dead letter
     */
    default CompletableFuture<Boolean> keepsTrying(CloudEvent event) {
        return CompletableFuture.completedFuture(false);
    }

    /**
     * Called when the attempts of an event are used up, before {@link #keepsTrying}.
     *
     * @return true when another component has durably taken over the event: the bus is then done with the event
     */
    default CompletableFuture<Boolean> takeOver(CloudEvent event, Throwable failure) {
        return CompletableFuture.completedFuture(false);
    }

    /** Whether this handler handles events of a type. The bus skips other types without decoding the message. */
    default boolean wants(String type) {
        return true;
    }
}
