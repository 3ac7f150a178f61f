package io.caravanserai.event;

import io.caravanserai.order.Order;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import java.math.BigDecimal;
import java.util.List;

/** The data of an event, in the newest version of its type. The order's id is beside it, in {@link OrderEvent}. */
public sealed interface EventData {

    EventType type();

    /** @param total with the currency's decimals */
    record OrderCreated(String customerId, List<Order.Item> items, String currency, BigDecimal total)
            implements EventData {
        @Override
        public EventType type() {
            return EventType.OrderCreated;
        }
    }

    record ItemsReserved() implements EventData {
        @Override
        public EventType type() {
            return EventType.ItemsReserved;
        }
    }

    record PaymentProcessed(BigDecimal amount, String currency, String paymentId) implements EventData {
        @Override
        public EventType type() {
            return EventType.PaymentProcessed;
        }
    }

    record OrderShipped(String trackingNumber) implements EventData {
        @Override
        public EventType type() {
            return EventType.OrderShipped;
        }
    }

    /**
     * A step was refused or given up, or the order ran out of time.
     *
     * @param type one of the failure types
     * @param status how far the order had come when it ran out of time; null for a step that failed
     */
    record Failed(EventType type, Reason reason, OrderStatus status) implements EventData {
        public Failed(EventType type, Reason reason) {
            this(type, reason, null);
        }

        public Failed {
            if (type.kind() != EventType.Kind.FAILURE) {
                throw new IllegalArgumentException(type + " is no failure");
            }
        }
    }

    record PaymentRefunded(BigDecimal amount, String currency, String paymentId) implements EventData {
        @Override
        public EventType type() {
            return EventType.PaymentRefunded;
        }
    }

    record ItemsReleased() implements EventData {
        @Override
        public EventType type() {
            return EventType.ItemsReleased;
        }
    }

    /** @param status how far the order had come */
    record OrderCancelRequested(Reason reason, OrderStatus status) implements EventData {
        @Override
        public EventType type() {
            return EventType.OrderCancelRequested;
        }
    }

    record OrderCancelled(Reason reason) implements EventData {
        @Override
        public EventType type() {
            return EventType.OrderCancelled;
        }
    }
}
