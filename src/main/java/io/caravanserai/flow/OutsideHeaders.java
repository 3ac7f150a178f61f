package io.caravanserai.flow;

import java.util.Locale;
import org.apache.camel.Exchange;
import org.apache.camel.spi.HeaderFilterStrategy;

/**
 * Drops headers that control Camel or the hub at the edge of the hub, in both directions, and leaves other headers to
 * the strategy of the component. Only the hub itself assigns a message to a saga. Thread-safe if the strategy of the
 * component is thread-safe.
 */
final class OutsideHeaders implements HeaderFilterStrategy {
    private static final String CAMEL = "camel";
    private static final String CAMEL_CLASSES = "org.apache.camel.";

    /** Prefix of the internal headers of the hub, for example {@code CaravanseraiSagaId}. */
    private static final String HUB = "caravanserai";

    private final HeaderFilterStrategy component;

    /** @param component strategy of the component; null when the component filters no header */
    OutsideHeaders(HeaderFilterStrategy component) {
        this.component = component;
    }

    /**
     * Whether a header is internal to the hub, for example the saga of a message.
     * @param name in any case, or in the spelling of JMS: {@code Long_HYPHEN_Running_HYPHEN_Action}
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
