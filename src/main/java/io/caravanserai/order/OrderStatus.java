package io.caravanserai.order;

/** How far an order has come. */
public enum OrderStatus {
    CREATED,
    RESERVED,
    PAID,
    /** The good end. */
    SHIPPED,
    /** The other end: every effect has been undone. */
    CANCELLED;

    /** Whether nothing more happens to an order in this status. */
    public boolean isEnd() {
        return this == SHIPPED || this == CANCELLED;
    }
}
