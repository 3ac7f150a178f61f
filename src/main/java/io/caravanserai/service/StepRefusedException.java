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

    /**
     * For a flow that refuses by itself, with {@code throwException}.
     *
     * @param reason one of the reasons that orders are cancelled for, such as {@code payment-declined}
     * @throws IllegalArgumentException when there is no such reason
     */
    public StepRefusedException(String reason) {
        this(Reason.ofWire(reason));
    }

    public Reason reason() {
        return reason;
    }
}
