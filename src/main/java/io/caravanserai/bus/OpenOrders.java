package io.caravanserai.bus;

import java.util.concurrent.CompletableFuture;

/** Tells which orders have not ended: an event that a flow failed to handle is tried again as long as its order has not. */
@FunctionalInterface
public interface OpenOrders {

    /** False when the order has ended, or is not known. */
    CompletableFuture<Boolean> isOpen(String orderId);
}
