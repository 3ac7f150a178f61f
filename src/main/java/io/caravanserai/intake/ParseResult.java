package io.caravanserai.intake;

import io.caravanserai.http.Problem.Fault;
import io.caravanserai.order.Order;
import java.util.List;

/** The result of parsing an order. */
public sealed interface ParseResult {

    /**
     * A valid order.
     * @param order with an id, from the sender or generated
     * @param namesItself whether the id is from the sender
     */
    record Valid(Order order, boolean namesItself) implements ParseResult {}

    /** No JSON: wrong syntax or encoding, a duplicate name, or nested too deeply. */
    record Unreadable(String detail) implements ParseResult {}

    /** JSON that violates rules. */
    record Invalid(List<Fault> faults) implements ParseResult {}
}
