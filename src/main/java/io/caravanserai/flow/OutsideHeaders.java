package io.caravanserai.flow;

import io.caravanserai.support.MessageHeaders;
import org.apache.camel.Exchange;
import org.apache.camel.spi.HeaderFilterStrategy;

/**
 * Drops headers that control Camel or the hub at the edge of the hub, in both directions, and leaves other headers to
 * the strategy of the component. Only the hub itself assigns a message to a saga. Thread-safe if the strategy of the
 * component is thread-safe.
 */
final class OutsideHeaders implements HeaderFilterStrategy {
    private final HeaderFilterStrategy component;

    /** @param component strategy of the component; null when the component filters no header */
    OutsideHeaders(HeaderFilterStrategy component) {
        this.component = component;
    }

    @Override
    public boolean applyFilterToExternalHeaders(String name, Object value, Exchange exchange) {
        return MessageHeaders.isOfTheHub(name)
                || MessageHeaders.isOfCamel(name)
                || component != null && component.applyFilterToExternalHeaders(name, value, exchange);
    }

    @Override
    public boolean applyFilterToCamelHeaders(String name, Object value, Exchange exchange) {
        return MessageHeaders.isOfTheHub(name)
                || component != null && component.applyFilterToCamelHeaders(name, value, exchange);
    }
}
