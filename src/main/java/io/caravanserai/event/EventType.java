package io.caravanserai.event;

import io.caravanserai.order.Step;
import java.util.Optional;

/** The event types, named like the {@code type} attribute of a CloudEvent. */
public enum EventType {
    /** An operator cancels the order; compensations follow. */
    OrderCancelRequested(Kind.REQUEST, null),
    OrderCreated(Kind.PROGRESS, Step.CREATE_ORDER),
    ItemsReserved(Kind.PROGRESS, Step.RESERVE_ITEMS),
    PaymentProcessed(Kind.PROGRESS, Step.PROCESS_PAYMENT),
    OrderShipped(Kind.PROGRESS, Step.SHIP_ORDER),
    ReservationFailed(Kind.FAILURE, Step.RESERVE_ITEMS),
    PaymentFailed(Kind.FAILURE, Step.PROCESS_PAYMENT),
    ShippingFailed(Kind.FAILURE, Step.SHIP_ORDER),
    /** No step failed: the order timed out, or an operator cancelled the order. */
    OrderTimedOut(Kind.FAILURE, null),
    PaymentRefunded(Kind.COMPENSATION, Step.PROCESS_PAYMENT),
    ItemsReleased(Kind.COMPENSATION, Step.RESERVE_ITEMS),
    OrderCancelled(Kind.COMPENSATION, Step.CREATE_ORDER);

    /**
     * The meaning of an event for the order: an operator request, a completed step, a failed step, or a completed
     * compensation.
     */
    public enum Kind {
        REQUEST,
        PROGRESS,
        FAILURE,
        COMPENSATION
    }

    private final Kind kind;
    private final Step step;

    EventType(Kind kind, Step step) {
        this.kind = kind;
        this.step = step;
    }

    public Kind kind() {
        return kind;
    }

    /**
     * The completed, failed or compensated step; empty for {@link #OrderTimedOut} and {@link #OrderCancelRequested}.
     */
    public Optional<Step> step() {
        return Optional.ofNullable(step);
    }
}
