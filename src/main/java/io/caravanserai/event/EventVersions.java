package io.caravanserai.event;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;

/**
 * How the data of each type has changed, and how it is turned from each version into the next and back. A version is
 * added here, as a schema, and as a field in {@link EventData}, which is always the newest.
 */
public final class EventVersions {

    private EventVersions() {}

    /** The newest version of a type; all from 1 to it are supported. */
    public static int newest(EventType type) {
        return switch (type) {
            // v1: an item's price was called "price". v2: "unitPrice", as in the order.
            // v1 of PaymentProcessed: the amount was text. v2: a number.
            case OrderCreated, PaymentProcessed -> 2;
            default -> 1;
        };
    }

    /** Turns data of a version into the newest, in place. */
    static void upcast(EventType type, int from, ObjectNode data) {
        if (from == 1 && type == EventType.OrderCreated) {
            renameInItems(data, "price", "unitPrice");
        } else if (from == 1 && type == EventType.PaymentProcessed) {
            data.put("amount", new BigDecimal(data.get("amount").textValue()));
        }
    }

    /** Turns data of the newest version into an older one, in place. */
    static void downcast(EventType type, int to, ObjectNode data) {
        if (to == 1 && type == EventType.OrderCreated) {
            renameInItems(data, "unitPrice", "price");
        } else if (to == 1 && type == EventType.PaymentProcessed) {
            data.put("amount", data.get("amount").decimalValue().toPlainString());
        }
    }

    private static void renameInItems(ObjectNode data, String from, String to) {
        data.withArray("items").forEach(item -> ((ObjectNode) item).set(to, ((ObjectNode) item).remove(from)));
    }
}
