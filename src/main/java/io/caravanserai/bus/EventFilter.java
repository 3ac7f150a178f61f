package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventType;
import io.caravanserai.order.OrderStyle;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * Selects the events of a subscriber.
 *
 * @param style style of the orders; empty for all styles
 * @param types empty for all types
 */
public record EventFilter(Optional<OrderStyle> style, Set<EventType> types) {

    public static final EventFilter ALL = new EventFilter(Optional.empty(), Set.of());

    public EventFilter {
        types = Set.copyOf(types);
    }

    /** Wraps a handler: only matching events reach the wrapped handler. */
    public EventHandler before(EventHandler handler) {
        return new EventHandler() {
            @Override
            public CompletableFuture<Void> handle(CloudEvent event) {
                return EventFilter.this.wants(event) ? handler.handle(event) : CompletableFuture.completedFuture(null);
            }

            @Override
            public CompletableFuture<Boolean> keepsTrying(CloudEvent event) {
                return handler.keepsTrying(event);
            }

            @Override
            public CompletableFuture<Boolean> takeOver(CloudEvent event, Throwable failure) {
                return handler.takeOver(event, failure);
            }

            @Override
            public boolean wants(String type) {
                return (types.isEmpty()
                                || types.stream().anyMatch(each -> each.name().equals(type)))
                        && handler.wants(type);
            }
        };
    }

    public boolean wants(CloudEvent event) {
        return (style.isEmpty() || style.get().equals(event.context().style()))
                && (types.isEmpty() || types.contains(event.type()));
    }
}
