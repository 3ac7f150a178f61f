package io.caravanserai.service;

import io.caravanserai.order.Step;

/** A flow called a step before a step that the service requires: a bug of the flow. Nothing of the step remains. */
public final class StepOutOfOrderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param missing the missing requirement, for example "no payment is captured" */
    public StepOutOfOrderException(Step step, String orderId, String missing) {
        super(step.action() + " refused for order " + orderId + ": " + missing, null, false, false);
    }
}
