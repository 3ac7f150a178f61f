package io.caravanserai.event;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;

/**
 * The version history of the event data, with conversions between the versions. A new version needs an entry here, a
 * schema, and a field in {@link EventData}, which always has the newest form.
 */
public final class EventVersions {

    private EventVersions() {}

    /** The newest version of a type. All versions from 1 are supported. */
    public static int newest(EventType type) {
        return switch (type) {
            // v1: an item's price was called "price". v2: "unitPrice", as in the order.
            // v1 of PaymentProcessed: the amount was text. v2: a number.
            case OrderCreated, PaymentProcessed -> 2;
            default -> 1;
        };
    }

    /** Converts data of an older version to the newest, in place. */
    static void upcast(EventType type, int from, ObjectNode data) {
        if (from == 1 && type == EventType.OrderCreated) {
            renameInItems(data, "price", "unitPrice");
        } else if (from == 1 && type == EventType.PaymentProcessed) {
            data.put("amount", new BigDecimal(data.get("amount").textValue()));
        }
    }

    /** Converts data of the newest version to an older one, in place. */
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
