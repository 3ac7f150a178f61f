package io.caravanserai.event;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import java.util.Optional;

/** Event data as JSON objects, in the newest version of each type. */
public final class EventJson {

    private EventJson() {}

    /** Writes the data of an event, with {@code orderId}. */
    public static ObjectNode write(String orderId, EventData data) {
        ObjectNode json = OrderJson.MAPPER.createObjectNode().put("orderId", orderId);
        if (data instanceof EventData.Failed failed) {
            json.put("reason", failed.reason().wire());
            if (failed.status() != null) {
                json.put("status", failed.status().name());
            }
        } else if (data instanceof EventData.OrderCancelRequested requested) {
            json.put("reason", requested.reason().wire());
            json.put("status", requested.status().name());
        } else if (data instanceof EventData.OrderCancelled cancelled) {
            json.put("reason", cancelled.reason().wire());
        } else if (data instanceof EventData.ItemsReserved) {
            json.put("reserved", true);
        } else {
            json.setAll(OrderJson.MAPPER.<ObjectNode>valueToTree(data));
        }
        return json;
    }

    /**
     * Reads a JSON object written by {@link #write}.
     *
     * @throws IllegalArgumentException when the object does not match the type
     */
    public static EventData read(EventType type, ObjectNode json) {
        ObjectNode fields = json.deepCopy();
        fields.remove("orderId");
        try {
            return switch (type) {
                case OrderCreated -> OrderJson.MAPPER.treeToValue(fields, EventData.OrderCreated.class);
                case ItemsReserved -> new EventData.ItemsReserved();
                case PaymentProcessed -> OrderJson.MAPPER.treeToValue(fields, EventData.PaymentProcessed.class);
                case OrderShipped -> OrderJson.MAPPER.treeToValue(fields, EventData.OrderShipped.class);
                case ReservationFailed, PaymentFailed, ShippingFailed, OrderTimedOut ->
                    new EventData.Failed(
                            type,
                            Reason.ofWire(json.path("reason").asText()),
                            json.has("status")
                                    ? OrderStatus.valueOf(json.get("status").asText())
                                    : null);
                case PaymentRefunded -> OrderJson.MAPPER.treeToValue(fields, EventData.PaymentRefunded.class);
                case ItemsReleased -> new EventData.ItemsReleased();
                case OrderCancelRequested ->
                    new EventData.OrderCancelRequested(
                            Reason.ofWire(json.path("reason").asText()),
                            OrderStatus.valueOf(json.path("status").asText()));
                case OrderCancelled ->
                    new EventData.OrderCancelled(
                            Reason.ofWire(json.path("reason").asText()));
            };
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not the data of " + type + ": " + e.getOriginalMessage(), e);
        }
    }

    /** The order status in the JSON text of event data; empty when the data has no status. */
    public static Optional<String> status(String json) {
        // Few events have a status: the text search avoids parsing the others.
        return json.contains("\"status\"") ? text(json, "status") : Optional.empty();
    }

    /** The reason in the JSON text of event data; null when the data has no reason. */
    public static String reason(String json) {
        return text(json, "reason").orElse(null);
    }

    private static Optional<String> text(String json, String field) {
        try {
            return Optional.ofNullable(
                    OrderJson.MAPPER.readTree(json).path(field).textValue());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not the data of an event: " + e.getOriginalMessage(), e);
        }
    }
}
