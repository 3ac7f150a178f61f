package io.caravanserai.subscriber.analytics;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventType;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.OrderStatus;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** The changes of figures by a batch of events. Not thread-safe. */
final class Changes {
    private final Map<Figure, Map<String, BigDecimal>> byFigure = new TreeMap<>();

    /** Each figure is a table of labels and values. */
    enum Figure {
        STATUS,
        STYLE,
        REASON,
        CREATED_IN_MINUTE,
        SHIPPED_IN_MINUTE,
        CANCELLED_IN_MINUTE,
        ORDERED,
        CAPTURED,
        REFUNDED
    }

    /** Receives the change of one value. */
    interface Change {
        void of(Figure figure, String label, BigDecimal by) throws java.sql.SQLException;
    }

    void forEach(Change change) throws java.sql.SQLException {
        for (Map.Entry<Figure, Map<String, BigDecimal>> figure : byFigure.entrySet()) {
            for (Map.Entry<String, BigDecimal> each : figure.getValue().entrySet()) {
                change.of(figure.getKey(), each.getKey(), each.getValue());
            }
        }
    }

    /**
     * Counts an event.
     * @param before status under which the order was counted; null for an order not counted yet
     * @return status under which the order is counted from now on
     */
    OrderStatus count(CloudEvent event, OrderStatus before) {
        OrderStatus after = after(event.type(), before);
        if (before == null && event.context().style() != null && after != null) {
            add(Figure.STYLE, event.context().style().wire(), BigDecimal.ONE);
        }
        if (after != before) {
            if (before != null) {
                add(Figure.STATUS, before.name(), BigDecimal.ONE.negate());
            }
            add(Figure.STATUS, after.name(), BigDecimal.ONE);
        }
        amounts(event);
        return after;
    }

    private static OrderStatus after(EventType type, OrderStatus before) {
        return switch (type) {
            case OrderCreated -> OrderStatus.CREATED;
            case ItemsReserved -> OrderStatus.RESERVED;
            case PaymentProcessed -> OrderStatus.PAID;
            case OrderShipped -> OrderStatus.SHIPPED;
            case OrderCancelled -> OrderStatus.CANCELLED;
            default -> before;
        };
    }

    private void amounts(CloudEvent event) {
        BiConsumer<Figure, String> money = (figure, field) -> {
            JsonNode data = json(event);
            add(figure, data.path("currency").asText(), data.path(field).decimalValue());
        };
        String minute = event.time().truncatedTo(ChronoUnit.MINUTES).toString();
        switch (event.type()) {
            case OrderCreated -> {
                add(Figure.CREATED_IN_MINUTE, minute, BigDecimal.ONE);
                money.accept(Figure.ORDERED, "total");
            }
            case PaymentProcessed -> money.accept(Figure.CAPTURED, "amount");
            case PaymentRefunded -> money.accept(Figure.REFUNDED, "amount");
            case OrderShipped -> add(Figure.SHIPPED_IN_MINUTE, minute, BigDecimal.ONE);
            case OrderCancelled -> {
                add(Figure.CANCELLED_IN_MINUTE, minute, BigDecimal.ONE);
                add(Figure.REASON, json(event).path("reason").asText(), BigDecimal.ONE);
            }
            default -> {
                // Compensation events: the order counts as cancelled at the end.
            }
        }
    }

    private void add(Figure figure, String label, BigDecimal by) {
        byFigure.computeIfAbsent(figure, each -> new TreeMap<>()).merge(label, by, BigDecimal::add);
    }

    private static JsonNode json(CloudEvent event) {
        try {
            return OrderJson.MAPPER.readTree(event.data());
        } catch (IOException e) {
            throw new IllegalArgumentException("an event's data is no JSON", e);
        }
    }
}
