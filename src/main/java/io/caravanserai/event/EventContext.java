package io.caravanserai.event;

import io.caravanserai.order.OrderStyle;

/**
 * Correlation data of an event.
 *
 * @param sagaId the saga of the order; null in the choreography style
 * @param causationId the id of the event or message that caused this event; null at the start of a chain
 * @param traceparent W3C Trace Context of the request that submitted the order; null when the request had none
 * @param style style of the order, so that subscribers of one style receive no other; null when unknown
 */
public record EventContext(String sagaId, String causationId, String traceparent, OrderStyle style) {

    public static final EventContext NONE = new EventContext(null, null, null, null);

    /** Creates a context without a style. */
    public EventContext(String sagaId, String causationId, String traceparent) {
        this(sagaId, causationId, traceparent, null);
    }

    /** A copy with the given causation id. */
    public EventContext causedBy(String causationId) {
        return new EventContext(sagaId, causationId, traceparent, style);
    }
}
