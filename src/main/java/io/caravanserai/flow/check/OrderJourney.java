package io.caravanserai.flow.check;

import io.caravanserai.event.EventType;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.order.Step;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.Node;

/** The paths of the orders of one flow. */
final class OrderJourney implements FlowPaths.Calls {
    private final String flow;
    private final String style;
    private final String file;
    private final RouteTable routes;
    private final FlowPaths paths;
    private final SagaEnds ends;
    private final EventUndo eventUndo;
    /** Guaranteed state at the arrival of each event. */
    private final Map<EventType, OrderState> heard = new EnumMap<>(EventType.class);

    private final Set<Step> used = EnumSet.noneOf(Step.class);
    private final Set<Uncovered> uncovered = new LinkedHashSet<>();
    private final Set<RouteTable.Route> mine = new LinkedHashSet<>();
    private final Set<Fault> found = new LinkedHashSet<>();

    private EventType trigger;
    /** Whether steps run in routes that consume events. */
    private boolean isDrivenByEvents;

    private boolean last;

    private record Uncovered(RouteTable.Route route, Step step, Node call, OrderState before) {
        Node compensation() {
            return before.compensation();
        }
    }

    /** @param file the file under check; faults in other files are reported at its start */
    OrderJourney(String flow, String file, FlowFiles files) {
        this.flow = flow;
        this.style = styleOf(flow);
        this.file = file;
        this.routes = files.routes();
        this.paths = new FlowPaths(files, this);
        this.ends = new SagaEnds(style, files);
        this.eventUndo = new EventUndo(style, routes, paths);
    }

    static String styleOf(String flow) {
        return flow.startsWith("order-") ? flow.substring("order-".length()) : flow;
    }

    /** Returns the faults of the flow; empty if the file has no route of the flow. */
    Set<Fault> check() {
        RouteTable.Route entry = routes.at("direct:" + flow).orElseThrow();
        heard.put(EventType.OrderTimedOut, OrderState.fresh(true));
        Map<EventType, OrderState> before;
        do {
            before = new EnumMap<>(heard);
            walk(entry);
        } while (!before.equals(heard));
        last = true;
        walk(entry);
        uncovered.forEach(this::undoneByEvents);
        ends.missing(mine, used, isDrivenByEvents).forEach(each -> fault(each.route(), each.node(), each.message()));
        return mine.stream().anyMatch(route -> route.file().equals(file)) ? found : Set.of();
    }

    /** Returns the routes that orders of the flow enter. */
    Set<RouteTable.Route> walked() {
        return mine;
    }

    private void walk(RouteTable.Route entry) {
        trigger = null;
        mine.add(entry);
        paths.follow(entry, OrderState.fresh(true), null);
        for (EventType type : List.copyOf(heard.keySet())) {
            for (RouteTable.Route route : routes.all()) {
                if (route.hears(type.name(), style)) {
                    trigger = type;
                    mine.add(route);
                    paths.follow(route, heard.get(type), new EventConditions.Heard(type, null));
                }
            }
        }
    }

    /** Returns the faults of a route that no known order enters. */
    Set<Fault> follow(RouteTable.Route route) {
        last = true;
        paths.follow(route, OrderState.fresh(false), null);
        uncovered.forEach(this::fault);
        ends.missing(mine, Set.of(), false).forEach(each -> fault(each.route(), each.node(), each.message()));
        return found;
    }

    @Override
    public OrderState step(RouteTable.Route route, Step step, Node call, OrderState before) {
        mine.add(route);
        used.add(step);
        if (last) {
            eventUndo.step(step, before.done());
            order(route, step, call, before);
            Optional<String> undo = step.compensation().map(name -> "direct:" + name);
            if (undo.isPresent() && !before.undo().contains(undo.get())) {
                uncovered.add(new Uncovered(route, step, call, before));
            }
        }
        OrderState behind = before.with(step, call);
        for (EventType type : EventType.values()) {
            if (type.step().filter(step::equals).isPresent()) {
                switch (type.kind()) {
                    case PROGRESS -> comes(type, behind);
                    case FAILURE -> comes(type, before);
                    default -> {
                        // Follows from the call of the compensation.
                    }
                }
            }
        }
        return behind;
    }

    @Override
    public void compensation(String endpoint, OrderState before) {
        routes.at(endpoint).ifPresent(mine::add);
        if (trigger == null) {
            return;
        }
        for (EventType type : EventType.values()) {
            boolean follows = type.kind() == EventType.Kind.COMPENSATION
                    && type.step()
                            .flatMap(Step::compensation)
                            .filter(name -> endpoint.equals("direct:" + name))
                            .isPresent();
            if (follows) {
                comes(type, before);
            }
        }
    }

    @Override
    public void turnsBack(RouteTable.Route route, Node call) {
        ends.turnsBack(trigger, route, call);
    }

    @Override
    public void begins(RouteTable.Route route, Node saga) {
        ends.begins(route, saga);
    }

    @Override
    public void completes() {
        ends.completes();
    }

    private void comes(EventType type, OrderState state) {
        heard.merge(type, state, OrderState::meet);
        isDrivenByEvents |= trigger != null;
    }

    private void order(RouteTable.Route route, Step step, Node call, OrderState before) {
        if (!before.known()) {
            return;
        }
        if (before.done().contains(step)) {
            fault(
                    route,
                    call,
                    "the step '" + step.action() + "' is done before on each way to here: this one does nothing");
            return;
        }
        for (Step needed : needs(step)) {
            if (!before.done().contains(needed)) {
                fault(
                        route,
                        call,
                        "the step '" + step.action() + "' needs '" + needed.action()
                                + "' before it, which is not done on each way to here");
                return;
            }
        }
    }

    /**
     * Returns the steps required before a step. A service of the hub that the flow does not use is replaced by
     * another service, which the flow calls.
     */
    private List<Step> needs(Step step) {
        return switch (step) {
            case CREATE_ORDER -> List.of();
            case RESERVE_ITEMS, PROCESS_PAYMENT ->
                used.contains(Step.CREATE_ORDER) ? List.of(Step.CREATE_ORDER) : List.of();
            // Without create-order no subscriber learns of the order, and nothing cancels the order.
            case SHIP_ORDER ->
                Arrays.stream(Step.values())
                        .filter(each ->
                                each == Step.CREATE_ORDER || each == Step.PROCESS_PAYMENT || used.contains(each))
                        .filter(each -> each != Step.SHIP_ORDER)
                        .toList();
        };
    }

    @Override
    public void ownSagaEnded(RouteTable.Route route, OrderState outside, OrderState end) {
        if (!last || !end.alive()) {
            return;
        }
        for (Step step : end.done()) {
            boolean stays = step.compensation()
                    .filter(name -> !outside.undo().contains("direct:" + name))
                    .isPresent();
            if (stays && !outside.done().contains(step)) {
                fault(
                        route,
                        end.calls().get(step),
                        "the step '" + step.action() + "' stands in a saga of its own (REQUIRES_NEW), which ends"
                                + " before the order's: it would not be undone when the order is cancelled");
            }
        }
    }

    /** Without a saga, events must lead from each later failure to the compensation of the step. */
    private void undoneByEvents(Uncovered each) {
        if (each.before().inSaga() || !isDrivenByEvents) {
            fault(each);
            return;
        }
        String undo = "direct:" + each.step().compensation().orElseThrow();
        eventUndo
                .leaves(each.step())
                .ifPresent(failure -> fault(
                        each.route(),
                        each.call(),
                        "nothing undoes the step '" + each.step().action() + "' when the event " + failure
                                + " comes: no route that hears it leads to '" + undo
                                + "' on each way, and waits for it"));
    }

    private void fault(Uncovered each) {
        String undo = "direct:" + each.step().compensation().orElseThrow();
        if (each.compensation() == null) {
            fault(
                    each.route(),
                    each.call(),
                    "the step '" + each.step().action() + "' has no compensation: put it in a saga with"
                            + " 'compensation: " + undo + "'");
        } else {
            fault(
                    each.route(),
                    each.compensation(),
                    "the compensation does not undo the step '"
                            + each.step().action() + "': it must lead to '" + undo + "' "
                            + "on each way, and wait for it");
        }
    }

    private void fault(RouteTable.Route route, Node node, String message) {
        if (route.file().equals(file)) {
            found.add(Fault.at(file, node, message));
        } else {
            int line = node.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
            found.add(Fault.atStart(file, message + " (at " + route.file() + ":" + line + ")"));
        }
    }
}
