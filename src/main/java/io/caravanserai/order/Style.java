package io.caravanserai.order;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** The built-in styles. */
public enum Style implements OrderStyle {
    REQUEST_REPLY,
    QUEUE,
    PUBSUB,
    CHOREOGRAPHY;

    private final String wire = name().toLowerCase(Locale.ROOT).replace('_', '-');

    @Override
    public String wire() {
        return wire;
    }

    /** Whether a saga keeps the compensations. In choreography each service reacts to failure events instead. */
    public boolean isOrchestrated() {
        return this != CHOREOGRAPHY;
    }

    /** The style of a wire name; empty when the name is unknown. */
    public static Optional<Style> ofWire(String wire) {
        return Arrays.stream(values()).filter(style -> style.wire.equals(wire)).findFirst();
    }

    /** All wire names, for error messages. */
    public static String names() {
        return Arrays.stream(values()).map(Style::wire).collect(Collectors.joining(", "));
    }
}
