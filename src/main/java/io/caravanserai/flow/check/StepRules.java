package io.caravanserai.flow.check;

import io.caravanserai.event.EventType;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import io.caravanserai.order.Step;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Checks that no order is shipped unpaid, and that no cancelled order keeps a payment or items, on every path through a
 * flow: calls, queues and events, choices and parallel branches, across files.
 */
final class StepRules {
    /** Exception classes with which a flow catches a refusal. */
    private static final Set<String> REFUSALS = Set.of(
            "io.caravanserai.service.StepRefusedException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
            "java.lang.Throwable");

    private final String file;
    private final RouteTable routes;
    private final Map<String, Node> trees;
    private final Set<Fault> faults = new LinkedHashSet<>();
    private final Set<RouteTable.Route> walked = new HashSet<>();

    private StepRules(String file, Map<String, Node> trees) {
        this.file = file;
        this.trees = trees;
        this.routes = new RouteTable(trees);
    }

    static List<Fault> check(String file, Node root, CheckContext around) {
        Map<String, Node> trees = new TreeMap<>(around.trees());
        trees.put(file, root);
        StepRules rules = new StepRules(file, trees);
        for (String flow : rules.routes.flows()) {
            rules.new Journey(flow).check();
        }
        if (!Nodes.valuesOf(root, "saga").isEmpty()) {
            rules.checkUnentered();
        }
        return List.copyOf(rules.faults);
    }

    private static boolean isManual(Node steps) {
        return Nodes.valuesOf(steps, "completionMode").stream().anyMatch(mode -> Nodes.is(mode, "MANUAL"));
    }

    private static boolean contains(Node node, Set<String> texts) {
        List<Node> found = new ArrayList<>();
        Nodes.walk(node, each -> {
            if (each instanceof ScalarNode text
                    && texts.contains(text.getValue().strip())) {
                found.add(each);
            }
        });
        return !found.isEmpty();
    }

    /** Checks the compensations of routes in this file that no known order enters. */
    private void checkUnentered() {
        Set<String> called = new HashSet<>();
        for (RouteTable.Route route : routes.all()) {
            route.steps()
                    .forEach(step -> Nodes.walk(step, node -> {
                        VersionedEndpoints.uriOf(node)
                                .map(VersionedEndpoints::keyOf)
                                .ifPresent(called::add);
                        if (node instanceof ScalarNode text) {
                            called.addAll(VersionedEndpoints.in(text.getValue()));
                        }
                    }));
        }
        for (RouteTable.Route route : routes.all()) {
            if (route.file().equals(file) && !walked.contains(route) && !called.contains(route.endpoint())) {
                new Journey("").follow(route);
            }
        }
    }

    /** The paths of the orders of one flow. */
    private final class Journey implements FlowPaths.Calls {
        private final String flow;
        private final String style;
        private final FlowPaths paths = new FlowPaths(routes, this);
        /** Guaranteed state at the arrival of each event. */
        private final Map<EventType, OrderState> heard = new EnumMap<>(EventType.class);
        /** Events that the routes for an event may cause. */
        private final Map<EventType, Set<EventType>> leadsTo = new EnumMap<>(EventType.class);

        private final Map<EventType, Set<String>> undoes = new EnumMap<>(EventType.class);
        private final Set<Step> used = EnumSet.noneOf(Step.class);
        private final Set<Uncovered> uncovered = new LinkedHashSet<>();
        /** Steps that may be done when a step fails. */
        private final Map<Step, Set<Step>> doneBefore = new EnumMap<>(Step.class);

        private final Set<RouteTable.Route> mine = new LinkedHashSet<>();
        private final Set<Fault> found = new LinkedHashSet<>();
        /** Calls that compensate the saga, by the event that leads to the call. */
        private final Map<EventType, Turn> turns = new EnumMap<>(EventType.class);

        private EventType trigger;
        private boolean last;

        private record Turn(RouteTable.Route route, Node call) {}

        private record Uncovered(RouteTable.Route route, Step step, Node call, OrderState before) {
            Node compensation() {
                return before.compensation();
            }
        }

        Journey(String flow) {
            this.flow = flow;
            this.style = flow.startsWith("order-") ? flow.substring("order-".length()) : flow;
        }

        void check() {
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
            failuresThatTurnNothingBack(entry);
            walked.addAll(mine);
            if (mine.stream().anyMatch(route -> route.file().equals(file))) {
                faults.addAll(found);
            }
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
                        paths.follow(route, heard.get(type), type.name());
                    }
                }
            }
        }

        void follow(RouteTable.Route route) {
            last = true;
            paths.follow(route, OrderState.fresh(false), null);
            uncovered.forEach(this::fault);
            faults.addAll(found);
        }

        @Override
        public OrderState step(RouteTable.Route route, Step step, Node call, OrderState before) {
            mine.add(route);
            used.add(step);
            doneBefore.computeIfAbsent(step, none -> EnumSet.noneOf(Step.class)).addAll(before.done());
            if (last) {
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
                    undoes.computeIfAbsent(trigger, none -> new HashSet<>()).add(endpoint);
                    comes(type, before);
                }
            }
        }

        @Override
        public void turnsBack(RouteTable.Route route, Node call) {
            if (trigger != null) {
                turns.putIfAbsent(trigger, new Turn(route, call));
            }
        }

        /**
         * Checks that each failure ends a saga that only a step of the flow ends: else the order would rest until the
         * deadline.
         */
        private void failuresThatTurnNothingBack(RouteTable.Route entry) {
            boolean isEndedByEvents =
                    mine.stream().flatMap(route -> route.steps().stream()).anyMatch(StepRules::isManual);
            if (!isEndedByEvents || leadsTo.isEmpty() || mine.stream().anyMatch(this::turnsBackByItself)) {
                return;
            }
            List<String> unheard = Arrays.stream(EventType.values())
                    .filter(type -> type.kind() == EventType.Kind.FAILURE)
                    .filter(type -> type.step().filter(used::contains).isPresent())
                    .filter(type -> !turns.containsKey(type))
                    .map(EventType::name)
                    .toList();
            if (!unheard.isEmpty()) {
                Turn place = turns.values().stream()
                        .findFirst()
                        .orElseGet(() -> new Turn(entry, entry.steps().get(0)));
                fault(
                        place.route(),
                        place.call(),
                        "no route that hears " + String.join(" or ", unheard)
                                + " leads to 'saga:compensate': the order would rest until its deadline");
            }
        }

        /**
         * Whether the file of the route compensates the saga where the file catches the refusal of a step, without an
         * event.
         */
        private boolean turnsBackByItself(RouteTable.Route route) {
            Set<String> turning = new HashSet<>(Set.of("saga:compensate"));
            routes.all().stream()
                    .filter(other -> other.steps().stream().anyMatch(step -> contains(step, turning)))
                    .forEach(other -> turning.add(other.endpoint()));
            return Optional.ofNullable(trees.get(route.file())).stream()
                    .flatMap(tree -> Stream.of("onException", "doCatch")
                            .flatMap(catches -> Nodes.valuesOf(tree, catches).stream()))
                    .flatMap(caught ->
                            caught instanceof SequenceNode several ? several.getValue().stream() : Stream.of(caught))
                    .filter(caught -> Nodes.value(caught, "exception").isPresent())
                    .anyMatch(
                            caught -> contains(Nodes.value(caught, "exception").orElseThrow(), REFUSALS)
                                    && contains(caught, turning));
        }

        private void comes(EventType type, OrderState state) {
            heard.merge(type, state, OrderState::meet);
            if (trigger != null) {
                leadsTo.computeIfAbsent(trigger, none -> EnumSet.noneOf(EventType.class))
                        .add(type);
            }
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
            boolean choreographed = !each.before().inSaga() && !leadsTo.isEmpty();
            if (!choreographed) {
                fault(each);
                return;
            }
            String undo = "direct:" + each.step().compensation().orElseThrow();
            for (EventType failure : failuresAfter(each.step())) {
                if (!leads(failure, undo)) {
                    fault(
                            each.route(),
                            each.call(),
                            "nothing undoes the step '" + each.step().action() + "' when the event " + failure
                                    + " comes: no route that hears it leads to '" + undo + "'");
                    return;
                }
            }
        }

        private Set<EventType> failuresAfter(Step step) {
            Set<EventType> failures = EnumSet.of(EventType.OrderTimedOut);
            doneBefore.forEach((later, done) -> {
                if (done.contains(step)) {
                    Arrays.stream(EventType.values())
                            .filter(type -> type.kind() == EventType.Kind.FAILURE)
                            .filter(type -> type.step().filter(later::equals).isPresent())
                            .forEach(failures::add);
                }
            });
            return failures;
        }

        private boolean leads(EventType failure, String undo) {
            Set<EventType> seen = EnumSet.noneOf(EventType.class);
            Deque<EventType> toGo = new ArrayDeque<>(List.of(failure));
            while (!toGo.isEmpty()) {
                EventType next = toGo.pop();
                if (seen.add(next)) {
                    if (undoes.getOrDefault(next, Set.of()).contains(undo)) {
                        return true;
                    }
                    leadsTo.getOrDefault(next, Set.of()).stream()
                            .filter(type -> type.kind() == EventType.Kind.COMPENSATION)
                            .forEach(toGo::add);
                }
            }
            return false;
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
}
