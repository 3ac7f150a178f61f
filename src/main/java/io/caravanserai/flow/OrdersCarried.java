package io.caravanserai.flow;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Reports the flow versions with unfinished orders. */
@FunctionalInterface
public interface OrdersCarried {

    /**
     * @param flow the flow stored with the orders
     * @param version the version stored with the orders
     * @param orders number of unfinished orders; 0 when only sagas need the version, for compensations
     */
    record Carried(String flow, int version, long orders) {}

    /** Counts the unfinished orders by flow and version; a pair without orders is absent. */
    CompletableFuture<List<Carried>> unfinished();

    /**
     * Like {@link #unfinished}, for a list on request of an operator: the query does not block a reader that orders
     * use.
     */
    default CompletableFuture<List<Carried>> listed() {
        return unfinished();
    }
}
