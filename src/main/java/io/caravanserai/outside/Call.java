package io.caravanserai.outside;

import io.caravanserai.service.StepName;

/**
 * A call that is to be made.
 *
 * @param orderId the order it is made for; null when the message names none
 * @param sagaId the saga the message travels in; null when there is none
 * @param eventId the event that led to it; null when it was none
 * @param target the service, such as {@code http://localhost:9090/charges}
 */
public record Call(String orderId, String sagaId, String eventId, StepName step, CallAction action, String target) {

    /** Whether it undoes a step. */
    public boolean isUndo() {
        return action == CallAction.UNDO;
    }

    /** Whether it is a step of an order or its undoing, which the order's history tells. */
    public boolean isInHistory() {
        return orderId != null && action != CallAction.TELL;
    }

    /** The same at every attempt and after a crash; null when there is nothing to tell the call by. */
    String idempotencyKey() {
        if (action == CallAction.TELL) {
            return eventId == null ? null : eventId + ":" + step.name();
        }
        return subject() == null ? null : subject() + ":" + step.name() + ":" + action.wire();
    }

    /** What is done and undone: the order, else the saga; null when there is neither. */
    String subject() {
        return orderId != null ? orderId : sagaId;
    }
}
