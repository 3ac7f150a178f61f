package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;

/** Receives notifications about bus traffic. Implementations must be fast and must not throw. */
public interface EventBusListener {

    /**
     * A subscriber received an event.
     *
     * @param version version on the wire; older than the newest version of the type when a publisher still emits a
     *     deprecated version
     */
    default void heard(String subscriber, CloudEvent event, int version) {}

    /** An event was not handled; the bus retries. */
    default void retrying(String subscriber, CloudEvent event, int attempt, Throwable cause) {}

    /** A message became a dead letter. */
    default void deadLettered(String subscriber, String reason) {}

    /** A batch is durable at the broker. */
    default void published(int events) {}
}
