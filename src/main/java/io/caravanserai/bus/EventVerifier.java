package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Verifies that this hub has recorded an event from the bus. Any client with publish permission can write to the topic,
 * so only recorded events drive an order. Thread-safe.
 */
@FunctionalInterface
public interface EventVerifier {

    /**
     * Looks up the record of an event.
     *
     * @param claimed the event as received over the bus
     * @return the recorded event, the only form to handle; empty when the hub has no event with the same id, order and
     *     type. Fails when the record cannot be read at present.
     */
    CompletableFuture<Optional<CloudEvent>> recorded(CloudEvent claimed);
}
