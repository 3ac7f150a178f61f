package io.caravanserai.event;

import io.caravanserai.order.Order;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Reason;
import java.math.BigDecimal;
import java.util.List;

/** The data of an event, in the newest version of the type. The order id is in {@link OrderEvent}. */
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
     * A step was refused, a step failed for good, or the order timed out.
     *
     * @param type one of the failure types
     * @param status order status at the time-out; null for a failed step
     */
    record Failed(EventType type, Reason reason, OrderStatus status) implements EventData {
        public Failed(EventType type, Reason reason) {
            this(type, reason, null);
        }

        public Failed {
            if (type.kind() != EventType.Kind.FAILURE) {
                throw new IllegalArgumentException(type + " is not a failure type");
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

    /** @param status order status at the request */
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
