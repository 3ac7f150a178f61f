package io.caravanserai.outside;

import io.caravanserai.bus.EventsComponent;
import io.caravanserai.event.EventType;
import io.caravanserai.saga.DurableSagaService;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/** The purpose of a call. */
public enum CallAction {
    /** A step of an order; not sent once the order is being cancelled. */
    DO,
    /** The compensation of a step; not sent while a call of the step is in flight. */
    UNDO,
    /** A notification of a subscriber about an event; no part of the order. */
    TELL;

    /** Returns the name in endpoints and idempotency keys. */
    String wire() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException for an unknown action; the message lists the actions */
    static CallAction ofWire(String wire) {
        return Arrays.stream(values())
                .filter(action -> action.wire().equals(wire))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "action: there is no action '" + wire + "'; there are do, undo and tell"));
    }

    /** Returns the purpose of a call of the message: compensations undo, and so do reactions to a failure. */
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

    /** Routes that drive orders consume the events of one style; subscribers consume the events of all styles. */
    private static boolean isSubscriber(Exchange exchange) {
        String from = exchange.getFromEndpoint() == null
                ? ""
                : exchange.getFromEndpoint().getEndpointUri();
        return from.startsWith("events:") && !from.contains("style=");
    }
}
