package io.caravanserai.order;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How an order travels through the hub. */
public enum Style {
    REQUEST_REPLY,
    QUEUE,
    PUBSUB,
    CHOREOGRAPHY;

    private final String wire = name().toLowerCase(Locale.ROOT).replace('_', '-');

    /** The name that settings and messages carry, such as {@code request-reply}. */
    public String wire() {
        return wire;
    }

    /** The flow that carries orders of this style, which is also the name of its file without the ending. */
    public String flow() {
        return "order-" + wire;
    }

    /** Whether a saga keeps the compensations; else each service reacts to failure events by itself. */
    public boolean isOrchestrated() {
        return this != CHOREOGRAPHY;
    }

    /** The style of a wire name; empty when there is none. */
    public static Optional<Style> ofWire(String wire) {
        return Arrays.stream(values()).filter(style -> style.wire.equals(wire)).findFirst();
    }

    /** All wire names, for messages to people. */
    public static String names() {
        return Arrays.stream(values()).map(Style::wire).collect(Collectors.joining(", "));
    }
}
