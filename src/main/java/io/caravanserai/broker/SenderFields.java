package io.caravanserai.broker;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.activemq.artemis.api.core.ICoreMessage;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;

/**
 * Message fields that a sender may set and that Artemis reads unchecked. A priority above 9 ends every consumer of the
 * queue. A property with a wrong type, or one reserved for brokers of a cluster, loses the message.
 */
final class SenderFields {
    private static final byte LOWEST_PRIORITY = 0;
    private static final byte HIGHEST_PRIORITY = 9;

    private static final SimpleString ORDERS = SimpleString.of("orders");

    /** No order is scheduled further ahead: the sender has confused units of time. */
    private static final long MAX_DELAY_MILLIS = TimeUnit.DAYS.toMillis(366);

    /** Prefixes of broker properties. Only brokers set properties that are not in {@link #ALLOWED}. */
    private static final List<String> RESERVED = List.of("_AMQ_", "_HQ_", "_hornetq.");

    /** Broker properties that a sender may set, with a check of the value. */
    private static final Map<SimpleString, Predicate<Object>> ALLOWED = Map.of(
            Message.HDR_GROUP_ID,
            value -> value instanceof SimpleString,
            Message.HDR_GROUP_SEQUENCE,
            value -> value instanceof Integer,
            Message.HDR_LARGE_COMPRESSED,
            value -> value instanceof Boolean,
            Message.HDR_LARGE_BODY_SIZE,
            value -> value instanceof Long,
            Message.HDR_SCHEDULED_DELIVERY_TIME,
            SenderFields::isDeliveryTime,
            Message.HDR_DUPLICATE_DETECTION_ID,
            SenderFields::isDuplicateId,
            Message.HDR_LAST_VALUE_NAME,
            value -> value instanceof SimpleString,
            Message.HDR_CONTENT_TYPE,
            value -> value instanceof SimpleString,
            Message.HDR_ROUTING_TYPE,
            SenderFields::isRoutingType);

    private static final SimpleString MANAGEMENT = SimpleString.of("activemq.management");

    private SenderFields() {}

    /**
     * Brings the priority into the range of JMS, removes properties that the broker must not read, and sets the routing
     * type of a message to {@code orders} to anycast if missing: without a routing type, the message would go to both
     * queues there.
     */
    static void makeSafe(ICoreMessage message) {
        boundPriority(message);
        if (MANAGEMENT.equals(message.getAddressSimpleString())) {
            // Management requests consist of these properties. The broker checks the permission later.
            return;
        }
        Set<SimpleString> names = message.getPropertyNames();
        for (SimpleString name : names) {
            if (isReserved(name) && !isAllowed(name, message.getObjectProperty(name))) {
                message.removeProperty(name);
            }
        }
        if (ORDERS.equals(message.getAddressSimpleString()) && message.getRoutingType() == null) {
            message.setRoutingType(RoutingType.ANYCAST);
        }
    }

    /** Brings the priority into the range of JMS: Artemis keeps one list of messages per priority, ten in all. */
    static void boundPriority(ICoreMessage message) {
        byte priority = message.getPriority();
        if (priority < LOWEST_PRIORITY) {
            message.setPriority(LOWEST_PRIORITY);
        } else if (priority > HIGHEST_PRIORITY) {
            message.setPriority(HIGHEST_PRIORITY);
        }
    }

    private static boolean isReserved(SimpleString name) {
        // Most names fail the first test; this method runs for each property of each message.
        return !name.isEmpty()
                && name.charAt(0) == '_'
                && RESERVED.stream().anyMatch(prefix -> name.toString().startsWith(prefix));
    }

    private static boolean isAllowed(SimpleString name, Object value) {
        Predicate<Object> allowed = ALLOWED.get(name);
        return allowed != null && allowed.test(value);
    }

    private static boolean isDeliveryTime(Object value) {
        return value instanceof Long time && time > 0 && time < System.currentTimeMillis() + MAX_DELAY_MILLIS;
    }

    private static boolean isDuplicateId(Object value) {
        return value instanceof byte[] bytes ? bytes.length > 0 : value instanceof SimpleString text && !text.isEmpty();
    }

    private static boolean isRoutingType(Object value) {
        return value instanceof Byte type
                && (type == RoutingType.ANYCAST.getType() || type == RoutingType.MULTICAST.getType());
    }
}
