package io.caravanserai.flow.check;

import io.caravanserai.event.EventType;
import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Step;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds steps that the routes of a flow without a saga do not undo after a failure event. A compensation counts if a route
 * that consumes the failure event, or the event of an earlier compensation, calls it on every path.
 */
final class EventUndo {
    private final String style;
    private final RouteTable routes;
    private final FlowPaths paths;
    private final Set<Failure> failures = new LinkedHashSet<>();
    private final Map<Failure, Set<Step>> undone = new HashMap<>();

    /**
     * The failure of an order.
     * @param done the steps that are certainly done
     */
    private record Failure(EventConditions.Heard event, Set<Step> done) {}

    EventUndo(String style, RouteTable routes, FlowPaths paths) {
        this.style = style;
        this.routes = routes;
        this.paths = paths;
    }

    /** Records that the step may fail after the steps before, and that the order may fail after the step. */
    void step(Step step, Set<Step> before) {
        Arrays.stream(EventType.values())
                .filter(type -> type.kind() == EventType.Kind.FAILURE)
                .filter(type -> type.step().filter(step::equals).isPresent())
                .forEach(type -> fails(type, null, before));
        if (step == Step.SHIP_ORDER) {
            return;
        }
        Set<Step> behind = EnumSet.of(step);
        behind.addAll(before);
        OrderStatus status = behind.contains(Step.PROCESS_PAYMENT)
                ? OrderStatus.PAID
                : behind.contains(Step.RESERVE_ITEMS) ? OrderStatus.RESERVED : OrderStatus.CREATED;
        fails(EventType.OrderTimedOut, status, behind);
    }

    private void fails(EventType type, OrderStatus status, Set<Step> done) {
        failures.add(new Failure(new EventConditions.Heard(type, status), Set.copyOf(done)));
    }

    /** Returns a failure event after which a completed step is not undone; empty without such an event. */
    Optional<EventType> leaves(Step step) {
        return failures.stream()
                .filter(failure -> failure.done().contains(step))
                .filter(failure ->
                        !undone.computeIfAbsent(failure, this::undoneAfter).contains(step))
                .map(failure -> failure.event().type())
                .findFirst();
    }

    private Set<Step> undoneAfter(Failure failure) {
        Set<Step> steps = EnumSet.noneOf(Step.class);
        Deque<EventConditions.Heard> heard = new ArrayDeque<>(List.of(failure.event()));
        while (!heard.isEmpty()) {
            EventConditions.Heard event = heard.pop();
            for (RouteTable.Route route : routes.all()) {
                if (route.hears(event.type().name(), style)) {
                    for (Step step : paths.undoneBy(route, event)) {
                        // A compensation of a step that was not done has no event.
                        if (steps.add(step) && failure.done().contains(step)) {
                            compensated(step).ifPresent(type -> heard.add(new EventConditions.Heard(type, null)));
                        }
                    }
                }
            }
        }
        return steps;
    }

    private static Optional<EventType> compensated(Step step) {
        return Arrays.stream(EventType.values())
                .filter(type -> type.kind() == EventType.Kind.COMPENSATION)
                .filter(type -> type.step().filter(step::equals).isPresent())
                .findFirst();
    }
}
