package io.caravanserai.event;

import io.caravanserai.order.OrderStyle;

/**
 * What an event hangs together with.
 *
 * @param sagaId the saga the order travels in; null in the choreography style
 * @param causationId the id of the event or message that led to this one; null at the start of a chain
 * @param traceparent W3C Trace Context of the request that brought the order; null when it had none
 * @param style how the order travels, so that those who drive one style hear no other; null when not known
 */
public record EventContext(String sagaId, String causationId, String traceparent, OrderStyle style) {

    public static final EventContext NONE = new EventContext(null, null, null, null);

    /** Of an order whose style is not known. */
    public EventContext(String sagaId, String causationId, String traceparent) {
        this(sagaId, causationId, traceparent, null);
    }

    /** The same, led to by that event or message. */
    public EventContext causedBy(String causationId) {
        return new EventContext(sagaId, causationId, traceparent, style);
    }
}
