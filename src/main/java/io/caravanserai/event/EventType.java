package io.caravanserai.event;

import io.caravanserai.order.Step;
import java.util.Optional;

/** The types of event, named as in the {@code type} attribute of a CloudEvent without any prefix. */
public enum EventType {
    /** An operator cancels the order; what undoes it follows. */
    OrderCancelRequested(Kind.REQUEST, null),
    OrderCreated(Kind.PROGRESS, Step.CREATE_ORDER),
    ItemsReserved(Kind.PROGRESS, Step.RESERVE_ITEMS),
    PaymentProcessed(Kind.PROGRESS, Step.PROCESS_PAYMENT),
    OrderShipped(Kind.PROGRESS, Step.SHIP_ORDER),
    ReservationFailed(Kind.FAILURE, Step.RESERVE_ITEMS),
    PaymentFailed(Kind.FAILURE, Step.PROCESS_PAYMENT),
    ShippingFailed(Kind.FAILURE, Step.SHIP_ORDER),
    /** No step failed: the order did not end in time, or an operator cancelled it. */
    OrderTimedOut(Kind.FAILURE, null),
    PaymentRefunded(Kind.COMPENSATION, Step.PROCESS_PAYMENT),
    ItemsReleased(Kind.COMPENSATION, Step.RESERVE_ITEMS),
    OrderCancelled(Kind.COMPENSATION, Step.CREATE_ORDER);

    /** What an event means for its order: on the way forward, the turning point, on the way back, or a person's wish. */
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

    /** The step that was done, failed or undone; empty for {@link #OrderTimedOut} and {@link #OrderCancelRequested}. */
    public Optional<Step> step() {
        return Optional.ofNullable(step);
    }
}
