package io.caravanserai.order;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How an order travels through the hub: one of the shipped {@link Style styles}, or a style of one's own, which is the
 * flow {@code order-NAME} of that name.
 */
public sealed interface OrderStyle permits Style, OwnStyle {
    /** What the name of a flow that is a style begins with. */
    String FLOW_PREFIX = "order-";

    /** The name that settings and messages carry, such as {@code request-reply}. */
    String wire();

    /** The flow that carries orders of this style, which is also the name of its file without the ending. */
    default String flow() {
        return FLOW_PREFIX + wire();
    }

    /** The style of a name; empty when no style can have that name. Whether a flow of it runs is another question. */
    static Optional<OrderStyle> of(String wire) {
        Optional<OrderStyle> shipped = Style.ofWire(wire).map(OrderStyle.class::cast);
        return shipped.or(() -> OwnStyle.isName(wire) ? Optional.of(new OwnStyle(wire)) : Optional.empty());
    }

    /** The style whose orders a flow carries; empty when the flow carries none. */
    static Optional<OrderStyle> ofFlow(String flow) {
        return flow.startsWith(FLOW_PREFIX) ? of(flow.substring(FLOW_PREFIX.length())) : Optional.empty();
    }
}

/** A style that is a flow of one's own. */
record OwnStyle(String wire) implements OrderStyle {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}");

    OwnStyle {
        if (!isName(wire)) {
            throw new IllegalArgumentException("no name of a style: " + wire);
        }
    }

    static boolean isName(String wire) {
        return NAME.matcher(wire).matches();
    }
}
