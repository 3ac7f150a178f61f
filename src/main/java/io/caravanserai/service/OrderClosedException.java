package io.caravanserai.service;

/** An effect came too late: the order is being cancelled or has ended. Nothing of the effect remains. */
public final class OrderClosedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public OrderClosedException(String orderId, String what) {
        super("order " + orderId + " takes no " + what + " any more", null, false, false);
    }
}
