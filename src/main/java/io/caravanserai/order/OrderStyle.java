package io.caravanserai.order;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The way an order travels through the hub: a built-in {@link Style}, or a custom style. A custom style NAME is the
 * flow {@code order-NAME}.
 */
public sealed interface OrderStyle permits Style, OwnStyle {
    /** The prefix of the names of style flows. */
    String FLOW_PREFIX = "order-";

    /** The name in settings and messages, for example {@code request-reply}. */
    String wire();

    /** The flow that carries orders of this style; also the name of the flow file without the extension. */
    default String flow() {
        return FLOW_PREFIX + wire();
    }

    /**
     * The style of a name; empty when the name is not a valid style name. An active flow for the style is not required.
     */
    static Optional<OrderStyle> of(String wire) {
        Optional<OrderStyle> shipped = Style.ofWire(wire).map(OrderStyle.class::cast);
        return shipped.or(() -> OwnStyle.isName(wire) ? Optional.of(new OwnStyle(wire)) : Optional.empty());
    }

    /** The style of the orders that a flow carries; empty when the flow is not a style flow. */
    static Optional<OrderStyle> ofFlow(String flow) {
        return flow.startsWith(FLOW_PREFIX) ? of(flow.substring(FLOW_PREFIX.length())) : Optional.empty();
    }
}

/** A custom style. */
record OwnStyle(String wire) implements OrderStyle {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}");

    OwnStyle {
        if (!isName(wire)) {
            throw new IllegalArgumentException("not a valid style name: " + wire);
        }
    }

    static boolean isName(String wire) {
        return NAME.matcher(wire).matches();
    }
}
