package io.caravanserai.event;

/**
 * What an event hangs together with.
 *
 * @param sagaId the saga the order travels in; null in the choreography style
 * @param causationId the id of the event or message that led to this one; null at the start of a chain
 * @param traceparent W3C Trace Context of the request that brought the order; null when it had none
 */
public record EventContext(String sagaId, String causationId, String traceparent) {

    public static final EventContext NONE = new EventContext(null, null, null);
}
