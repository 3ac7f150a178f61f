package io.caravanserai.outside;

import io.caravanserai.service.StepName;

/**
 * A call to an outside service.
 * @param orderId id of the order; null when the message has none
 * @param sagaId id of the saga of the message; null without a saga
 * @param eventId id of the event that led to the call; null without an event
 * @param target address of the service, for example {@code http://localhost:9090/charges}
 */
public record Call(String orderId, String sagaId, String eventId, StepName step, CallAction action, String target) {

    /** Whether the call undoes a step. */
    public boolean isUndo() {
        return action == CallAction.UNDO;
    }

    /** Whether the order history records the call: a step of an order, or the compensation of a step. */
    public boolean isInHistory() {
        return orderId != null && action != CallAction.TELL;
    }

    /** Returns the same key for every attempt, also after a crash; null when nothing identifies the call. */
    String idempotencyKey() {
        if (action == CallAction.TELL) {
            return eventId == null ? null : eventId + ":" + step.name();
        }
        return subject() == null ? null : subject() + ":" + step.name() + ":" + action.wire();
    }

    /** Returns the order id, else the saga id; null without both. */
    String subject() {
        return orderId != null ? orderId : sagaId;
    }
}
