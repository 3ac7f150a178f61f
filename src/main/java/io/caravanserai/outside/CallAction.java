package io.caravanserai.outside;

import io.caravanserai.bus.EventsComponent;
import io.caravanserai.event.EventType;
import io.caravanserai.saga.DurableSagaService;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/** What a call is for. */
public enum CallAction {
    /** A step of an order; not made once the order has turned back. */
    DO,
    /** The undoing of a step; not made while the step is under way. */
    UNDO,
    /** A subscriber tells a service of an event, which has no part in the order. */
    TELL;

    /** The name that endpoints and idempotency keys carry. */
    String wire() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException when there is no such action; the message names those there are */
    static CallAction ofWire(String wire) {
        return Arrays.stream(values())
                .filter(action -> action.wire().equals(wire))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "action: there is no action '" + wire + "'; there are do, undo and tell"));
    }

    /** What the message is on its way for: compensations undo, and so does what reacts to a failure. */
    static CallAction of(Exchange exchange) {
        Message message = exchange.getMessage();
        if (message.getHeader(DurableSagaService.COMPENSATING, false, Boolean.class)) {
            return UNDO;
        }
        Optional<EventType> event = event(message.getHeader(EventsComponent.EVENT_TYPE, String.class));
        if (event.isEmpty()) {
            return DO;
        }
        if (isSubscriber(exchange)) {
            return TELL;
        }
        return event.get().kind() == EventType.Kind.PROGRESS ? DO : UNDO;
    }

    private static Optional<EventType> event(String name) {
        return Arrays.stream(EventType.values())
                .filter(type -> type.name().equals(name))
                .findFirst();
    }

    /** Routes that drive orders hear the events of their style; subscribers hear those of every style. */
    private static boolean isSubscriber(Exchange exchange) {
        String from = exchange.getFromEndpoint() == null
                ? ""
                : exchange.getFromEndpoint().getEndpointUri();
        return from.startsWith("events:") && !from.contains("style=");
    }
}
