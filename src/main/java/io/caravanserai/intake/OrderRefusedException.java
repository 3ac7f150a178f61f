package io.caravanserai.intake;

import io.caravanserai.intake.OrderMessages.Taken;

/** The body of a message is no order that the hub accepts. The same message is refused again. Nothing has happened. */
public final class OrderRefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Taken.Refused refused;

    OrderRefusedException(Taken.Refused refused) {
        super(OrderMessages.error(refused), null, false, false);
        this.refused = refused;
    }

    Taken.Refused refused() {
        return refused;
    }

    /** A short code, such as {@code invalid-order}, as in the list of dead letters. */
    public String getReason() {
        return refused.reason();
    }
}
