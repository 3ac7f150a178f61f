package io.caravanserai.intake;

import io.caravanserai.http.Problem.Fault;
import io.caravanserai.order.Order;
import java.util.List;

/** What became of bytes that should be an order. */
public sealed interface ParseResult {

    /**
     * @param order with an id: its own, or one the hub has made
     * @param namesItself whether the id is its own
     */
    record Valid(Order order, boolean namesItself) implements ParseResult {}

    /** No JSON: broken syntax or encoding, a name twice, too deep. */
    record Unreadable(String detail) implements ParseResult {}

    /** JSON that breaks rules. */
    record Invalid(List<Fault> faults) implements ParseResult {}
}
