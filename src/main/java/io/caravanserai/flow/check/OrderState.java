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
 * The guaranteed state of an order at a place of a flow, over all paths to the place.
 * @param known false in a route that only a caller outside the flows can start: nothing is guaranteed there
 * @param alive false after a place where no order continues, for example after a refusal
 * @param done the completed steps
 * @param undo the compensations that a saga of the order will call
 * @param inSaga whether the order is in a saga
 * @param calls the call of each step, for faults; ignored by equals
 * @param compensation the compensation of the innermost saga, for faults; may be null; ignored by equals
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

    /** Returns the state inside a saga that adds these compensations. */
    OrderState joined(Set<String> compensations, Node place) {
        Set<String> more = new HashSet<>(undo);
        more.addAll(compensations);
        return new OrderState(known, alive, done, more, true, calls, place);
    }

    /** Returns this state with the compensations of the other state. */
    OrderState under(OrderState other) {
        return new OrderState(known, alive, done, other.undo, other.inSaga, calls, other.compensation);
    }

    /** Returns the guaranteed state where two alternative paths meet. */
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

    /** Returns the guaranteed state after two paths that both run. */
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
