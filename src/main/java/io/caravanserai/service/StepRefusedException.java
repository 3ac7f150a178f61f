package io.caravanserai.service;

import io.caravanserai.order.Reason;
import java.util.Arrays;
import java.util.stream.Collectors;

/** A service refused a step. A retry does not help; the saga must be compensated. */
public final class StepRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    public StepRefusedException(Reason reason) {
        super(reason.wire(), null, false, false);
        this.reason = reason;
    }

    /**
     * For a flow that refuses an order with {@code throwException}.
     * @param reason a cancellation reason, for example {@code payment-declined}
     * @throws IllegalArgumentException for an unknown reason; the message lists the known reasons
     */
    public StepRefusedException(String reason) {
        this(known(reason));
    }

    private static Reason known(String reason) {
        return Arrays.stream(Reason.values())
                .filter(each -> each.wire().equals(reason))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("a StepRefusedException has no reason '" + reason
                        + "' (one of "
                        + Arrays.stream(Reason.values()).map(Reason::wire).collect(Collectors.joining(", "))
                        + ")"));
    }

    public Reason reason() {
        return reason;
    }
}
