package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Tells which events on the bus the hub itself has recorded. Whoever may publish can write anything on the topic; only what
 * the hub has recorded drives an order. Thread-safe.
 */
@FunctionalInterface
public interface EventVerifier {

    /**
     * Looks an event up.
     *
     * @param claimed as it came over the bus
     * @return the event as the hub has recorded it, which alone is to be handled; empty when it has not recorded one of
     *     that id, order and type. Fails when that cannot be told at present.
     */
    CompletableFuture<Optional<CloudEvent>> recorded(CloudEvent claimed);
}
