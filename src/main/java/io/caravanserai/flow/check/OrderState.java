package io.caravanserai.flow.check;

import io.caravanserai.order.Step;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * What is certain of an order at a place of its flow, whichever way it came there.
 *
 * @param known false where a route begins that only something outside the flows can call: nothing is certain there
 * @param alive false behind a place that no order passes, such as one that refuses it
 * @param done the steps that are done
 * @param undo the compensations that a saga of the order will call
 * @param inSaga whether the order is in a saga
 * @param calls where each step was called, for faults; no part of equality
 * @param compensation where the innermost saga names its compensation, for faults; may be null; no part of equality
 */
record OrderState(
        boolean known,
        boolean alive,
        Set<Step> done,
        Set<String> undo,
        boolean inSaga,
        Map<Step, Node> calls,
        Node compensation) {

    static OrderState fresh(boolean known) {
        return new OrderState(known, true, Set.of(), Set.of(), false, Map.of(), null);
    }

    OrderState dead() {
        return new OrderState(known, false, done, undo, inSaga, calls, compensation);
    }

    OrderState with(Step step, Node call) {
        Set<Step> more = EnumSet.of(step);
        more.addAll(done);
        Map<Step, Node> places = new EnumMap<>(Step.class);
        places.putAll(calls);
        places.put(step, call);
        return new OrderState(known, alive, more, undo, inSaga, places, compensation);
    }

    /** Inside a saga that calls these compensations too. */
    OrderState joined(Set<String> compensations, Node place) {
        Set<String> more = new HashSet<>(undo);
        more.addAll(compensations);
        return new OrderState(known, alive, done, more, true, calls, place);
    }

    /** The same order where other compensations hold. */
    OrderState under(OrderState other) {
        return new OrderState(known, alive, done, other.undo, other.inSaga, calls, other.compensation);
    }

    /** What is certain where two ways meet. */
    OrderState meet(OrderState other) {
        if (!alive || !other.alive) {
            return alive ? this : other;
        }
        Set<Step> both = done.isEmpty() ? EnumSet.noneOf(Step.class) : EnumSet.copyOf(done);
        both.retainAll(other.done);
        Set<String> undone = new HashSet<>(undo);
        undone.retainAll(other.undo);
        return new OrderState(known && other.known, true, both, undone, inSaga && other.inSaga, calls, compensation);
    }

    /** What is certain behind ways that are all gone. */
    OrderState join(OrderState other) {
        if (!alive || !other.alive) {
            return alive ? other : this;
        }
        OrderState both = this;
        for (Step step : other.done) {
            both = both.with(step, other.calls.get(step));
        }
        return both;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof OrderState state
                && known == state.known
                && alive == state.alive
                && inSaga == state.inSaga
                && done.equals(state.done)
                && undo.equals(state.undo);
    }

    @Override
    public int hashCode() {
        return Objects.hash(known, alive, done, undo, inSaga);
    }
}
