package io.caravanserai.order;

import java.util.Arrays;
import java.util.Locale;

/** The reason for the cancellation of an order. */
public enum Reason {
    OUT_OF_STOCK,
    UNKNOWN_SKU,
    PAYMENT_DECLINED,
    SHIPPING_REFUSED,
    TIMED_OUT,
    CANCELLED_BY_OPERATOR,
    SERVICE_UNAVAILABLE,
    /** A bug in the flow, not a decision of a service. */
    FLOW_ERROR;

    private final String wire = name().toLowerCase(Locale.ROOT).replace('_', '-');

    /** The name in messages and API responses, for example {@code out-of-stock}. */
    public String wire() {
        return wire;
    }

    /**
     * The reason of a wire name.
     *
     * @throws IllegalArgumentException when the name is unknown
     */
    public static Reason ofWire(String wire) {
        return Arrays.stream(values())
                .filter(reason -> reason.wire.equals(wire))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown reason '" + wire + "'"));
    }
}
