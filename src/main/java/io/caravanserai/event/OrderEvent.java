package io.caravanserai.event;

import java.time.Instant;

/**
 * An event in the life of an order.
 *
 * @param id unique; ascends in the order of the events of one order
 * @param attempt attempt of the step that produced the event; 1 unless transient failures came before
 */
public record OrderEvent(String id, String orderId, Instant time, int attempt, EventContext context, EventData data) {

    public EventType type() {
        return data.type();
    }
}
