package io.caravanserai.bus;

import java.util.concurrent.CompletableFuture;

/** Answers whether an order is still open. The bus keeps retrying a failed event while the order is open. */
@FunctionalInterface
public interface OpenOrders {

    /** False when the order has ended or is unknown. */
    CompletableFuture<Boolean> isOpen(String orderId);
}
