package io.caravanserai.event;

import java.time.Instant;

/**
 * Something that has happened to an order.
 *
 * @param id unique, and ascending in the order things happened to one order
 * @param attempt which attempt of the step this came of; 1 unless transient failures went before
 */
public record OrderEvent(String id, String orderId, Instant time, int attempt, EventContext context, EventData data) {

    public EventType type() {
        return data.type();
    }
}
