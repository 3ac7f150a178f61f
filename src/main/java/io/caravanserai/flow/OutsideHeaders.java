package io.caravanserai.flow;

import java.util.Locale;
import org.apache.camel.Exchange;
import org.apache.camel.spi.HeaderFilterStrategy;

/**
 * Keeps headers that steer Camel or the hub from crossing the hub's edge, in either direction, and leaves the rest to the
 * strategy of the component. Only the hub itself says to which saga a message belongs. Thread-safe when the component's
 * strategy is.
 */
final class OutsideHeaders implements HeaderFilterStrategy {
    private static final String CAMEL = "camel";
    private static final String CAMEL_CLASSES = "org.apache.camel.";

    /** Of all headers by which the hub tells itself something, such as {@code CaravanseraiSagaId}. */
    private static final String HUB = "caravanserai";

    private final HeaderFilterStrategy component;

    /** @param component null when it has none, and takes and sends every header */
    OutsideHeaders(HeaderFilterStrategy component) {
        this.component = component;
    }

    /**
     * Whether a header says to which saga a message belongs, or something else that the hub tells itself.
     *
     * @param name in any case, or as JMS spells it: {@code Long_HYPHEN_Running_HYPHEN_Action}
     */
    static boolean isOfTheHub(String name) {
        String plain = plain(name);
        return plain.equalsIgnoreCase(Exchange.SAGA_LONG_RUNNING_ACTION) || plain.startsWith(HUB);
    }

    private static boolean isOfCamel(String name) {
        String plain = plain(name);
        return plain.startsWith(CAMEL) || plain.startsWith(CAMEL_CLASSES);
    }

    private static String plain(String name) {
        return name.replace("_HYPHEN_", "-").replace("_DOT_", ".").toLowerCase(Locale.ROOT);
    }

    @Override
    public boolean applyFilterToExternalHeaders(String name, Object value, Exchange exchange) {
        return isOfTheHub(name)
                || isOfCamel(name)
                || component != null && component.applyFilterToExternalHeaders(name, value, exchange);
    }

    @Override
    public boolean applyFilterToCamelHeaders(String name, Object value, Exchange exchange) {
        return isOfTheHub(name) || component != null && component.applyFilterToCamelHeaders(name, value, exchange);
    }
}
