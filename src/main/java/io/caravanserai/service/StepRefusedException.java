package io.caravanserai.service;

import io.caravanserai.order.Reason;
import java.util.Arrays;
import java.util.stream.Collectors;

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
     * @throws IllegalArgumentException when there is no such reason; the message lists those that exist
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
