package io.caravanserai.service;

import io.caravanserai.order.Reason;

/** A service refused a step: trying again will not help, the saga is to be compensated. */
public final class StepRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    public StepRefusedException(Reason reason) {
        super(reason.wire(), null, false, false);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
