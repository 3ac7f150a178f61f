package io.caravanserai.flow;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Tells which versions of flows still carry orders that have not ended. */
@FunctionalInterface
public interface OrdersCarried {

    /**
     * @param flow the flow stored with the orders
     * @param version the version stored with the orders
     * @param orders how many of them have not ended; 0 when only sagas need the version, for compensations that they name
     */
    record Carried(String flow, int version, long orders) {}

    /** Counts the orders that have not ended by flow and version; a pair that carries none is absent. */
    CompletableFuture<List<Carried>> unfinished();

    /** As {@link #unfinished}, for a list that a person asks for: the query takes no reader from orders. */
    default CompletableFuture<List<Carried>> listed() {
        return unfinished();
    }
}
