package io.caravanserai.order;

/** The progress of an order. */
public enum OrderStatus {
    CREATED,
    RESERVED,
    PAID,
    /** Final: the order succeeded. */
    SHIPPED,
    /** Final: every effect has been undone. */
    CANCELLED;

    /** Whether this status is final. */
    public boolean isEnd() {
        return this == SHIPPED || this == CANCELLED;
    }
}
