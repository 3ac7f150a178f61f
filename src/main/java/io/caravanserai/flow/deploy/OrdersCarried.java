package io.caravanserai.flow.deploy;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

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

    /** The number of orders by version; a version that only sagas need has 0. */
    static Map<RunningFlows.Key, Long> byVersion(List<Carried> carried) {
        return carried.stream()
                .collect(Collectors.toMap(
                        each -> new RunningFlows.Key(each.flow(), each.version()), Carried::orders, Long::sum));
    }
}
