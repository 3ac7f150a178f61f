package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;

/** Told of what passes over the bus. Must be quick and must not throw. */
public interface EventBusListener {

    /**
     * A subscriber heard an event.
     *
     * @param version the one on the wire; older than the newest of its type when a deprecated one is still in use
     */
    default void heard(String subscriber, CloudEvent event, int version) {}

    /** An event could not be handled and will be tried again. */
    default void retrying(String subscriber, CloudEvent event, int attempt, Throwable cause) {}

    /** A message was given up. */
    default void deadLettered(String subscriber, String reason) {}

    /** A batch is durable at the broker. */
    default void published(int events) {}
}
