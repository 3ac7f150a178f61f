package io.caravanserai.service;

import io.caravanserai.order.Step;

/** A flow asked for a step before another that the service requires: a bug of the flow. Nothing of the step remains. */
public final class StepOutOfOrderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param missing what the service requires and the order lacks, such as "no payment is captured" */
    public StepOutOfOrderException(Step step, String orderId, String missing) {
        super(step.action() + " refused for order " + orderId + ": " + missing, null, false, false);
    }
}
