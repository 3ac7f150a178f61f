package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import io.caravanserai.order.Step;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.support.PatternHelper;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * Follows an order through routes across files, and reports each call of a service with the guaranteed state of the
 * order.
 */
final class FlowPaths {
    static final Map<String, Step> ACTIONS = Arrays.stream(Step.values())
            .collect(Collectors.toUnmodifiableMap(step -> "direct:" + step.action(), Function.identity()));
    private static final Map<String, Step> COMPENSATIONS = Arrays.stream(Step.values())
            .filter(step -> step.compensation().isPresent())
            .collect(Collectors.toUnmodifiableMap(
                    step -> "direct:" + step.compensation().orElseThrow(), Function.identity()));
    static final String BOOKED = "direct:payment-captured";

    /** Endpoints after which the order does not continue on the path. */
    static final Set<String> ENDS = Set.of(
            "direct:payment-declined",
            "direct:give-up",
            "direct:tell-failure",
            "direct:service-unavailable",
            "saga:compensate");

    /** Limit for following a flow: a flow can be constructed to have an exponential number of paths. */
    private static final int MAX_CALLS = 20_000;

    /** Propagations without a saga. Camel refuses a compensation there. */
    private static final Set<String> NO_SAGA = Set.of("NEVER", "NOT_SUPPORTED");
    /** Endpoints that make a failed compensation fail again. */
    private static final Set<String> FAIL_AGAIN = Set.of("direct:give-up", "direct:service-unavailable");
    /** Headers that name the order and the event. */
    private static final Set<String> HEADERS = Set.of("orderId", "eventType", "orderStatus");

    private final FlowFiles files;
    private final RouteTable routes;
    private final EventConditions conditions;
    private final Calls calls;
    private final boolean undoing;
    private final Deque<RouteTable.Route> inside = new ArrayDeque<>();
    /** Guaranteed state where a compensation stops before the end, which Camel counts as success. */
    private Optional<OrderState> stopped = Optional.empty();

    private EventConditions.Heard heard;
    private int called;

    /** Receives each call of an endpoint of the hub. */
    interface Calls {
        /** @return the guaranteed state after the call */
        OrderState step(RouteTable.Route route, Step step, Node call, OrderState before);

        void compensation(String endpoint, OrderState before);

        /** Called where the flow compensates the saga of the order. */
        void turnsBack(RouteTable.Route route, Node call);

        /** A new saga begins. */
        void begins(RouteTable.Route route, Node saga);

        /** The call completes the saga of the order. */
        void completes();

        /**
         * Called at the end of a saga nested in another saga. The steps of the nested saga are guaranteed, and no
         * longer compensated by the nested saga.
         */
        void ownSagaEnded(RouteTable.Route route, OrderState before, OrderState end);
    }

    FlowPaths(FlowFiles files, Calls calls) {
        this(files, calls, false);
    }

    /**
     * @param undoing whether a compensation is followed; a step then counts as done where the compensation of the step
     *     is called
     */
    private FlowPaths(FlowFiles files, Calls calls, boolean undoing) {
        this.files = files;
        this.routes = files.routes();
        this.conditions = files.conditions();
        this.calls = calls;
        this.undoing = undoing;
    }

    /**
     * Follows an order through a route.
     * @param event event that starts the route; null without an event
     * @return the guaranteed state after the route
     */
    OrderState follow(RouteTable.Route route, OrderState before, EventConditions.Heard event) {
        EventConditions.Heard outer = heard;
        heard = event;
        OrderState behind = route(route, before);
        heard = outer;
        return behind;
    }

    /** Returns the steps that a route undoes on every path when the route consumes an event of an order without a saga. */
    Set<Step> undoneBy(RouteTable.Route route, EventConditions.Heard event) {
        FlowPaths paths = new FlowPaths(files, calls, true);
        paths.heard = event;
        return paths.certain(paths.route(route, OrderState.fresh(false)));
    }

    private Set<Step> certain(OrderState end) {
        return stopped.map(end::meet).orElse(end).done();
    }

    private OrderState route(RouteTable.Route route, OrderState before) {
        if (inside.contains(route) || called++ > MAX_CALLS) {
            return before;
        }
        inside.push(route);
        OrderState behind = steps(route.steps(), before);
        if (undoing) {
            for (Node handler : files.handlers().hiding(route)) {
                behind = behind.meet(steps(RouteTable.list(handler, "steps"), before));
            }
        }
        inside.pop();
        return behind;
    }

    private OrderState steps(List<Node> steps, OrderState before) {
        OrderState state = before;
        Deque<OrderState> outsideOwn = new ArrayDeque<>();
        for (Node step : steps) {
            Optional<Node> saga = Nodes.value(step, "saga");
            if (saga.isPresent() && !RouteTable.isTrue(saga.get(), "disabled")) {
                // A saga also spans the following steps of the same list.
                if (isOwn(saga.get(), state)) {
                    outsideOwn.push(state);
                }
                state = steps(RouteTable.list(saga.get(), "steps"), enter(saga.get(), state));
            } else if (step instanceof MappingNode mapping) {
                for (NodeTuple tuple : mapping.getValue()) {
                    state = RouteTable.isTrue(tuple.getValueNode(), "disabled")
                            ? state
                            : step(((ScalarNode) tuple.getKeyNode()).getValue(), tuple.getValueNode(), state);
                }
            }
        }
        while (!outsideOwn.isEmpty()) {
            state = leave(state, outsideOwn.pop());
        }
        return state;
    }

    private OrderState enter(Node saga, OrderState before) {
        if (undoing) {
            return before;
        }
        String propagation = Nodes.text(saga, "propagation").orElse("REQUIRED");
        boolean isOutside = before.known() && !before.inSaga();
        boolean isNone = NO_SAGA.contains(propagation)
                && Nodes.value(saga, "compensation").isEmpty();
        if (isNone || propagation.equals("SUPPORTS") && isOutside) {
            return before;
        }
        if (!before.inSaga() || isOwn(saga, before)) {
            calls.begins(inside.peek(), saga);
        }
        Set<String> undone = Nodes.value(saga, "compensation")
                .flatMap(compensation -> VersionedEndpoints.uriOf(compensation)
                        .map(uri -> undoneBy(compensation, VersionedEndpoints.keyOf(uri))))
                .orElse(Set.of());
        return before.joined(undone, Nodes.value(saga, "compensation").orElse(null));
    }

    /** Whether a saga inside another saga ends independently. */
    private static boolean isOwn(Node saga, OrderState outside) {
        return outside.inSaga()
                && Nodes.text(saga, "propagation")
                        .filter("REQUIRES_NEW"::equals)
                        .isPresent();
    }

    private OrderState leave(OrderState end, OrderState outside) {
        if (!undoing) {
            calls.ownSagaEnded(inside.peek(), outside, end);
        }
        return end.under(outside);
    }

    private OrderState step(String key, Node value, OrderState before) {
        return switch (key) {
            case "to", "toD", "wireTap", "enrich", "recipientList", "routingSlip" -> call(key, value, before);
            case "choice" -> choice(value, before);
            case "filter" -> filter(value, before);
            case "multicast" -> multicast(value, before);
            case "loadBalance" -> anyOf(RouteTable.list(value, "steps"), before);
            case "doTry" -> attempt(value, before);
            case "circuitBreaker" -> circuitBreaker(value, before);
            case "throwException", "rollback" -> before.dead();
            case "stop" -> stop(before);
            case "split", "loop", "sample", "aggregate", "resequence" -> perhaps(value, before);
            case "idempotentConsumer" ->
                files.once().isOncePerOrder(value)
                        ? steps(RouteTable.list(value, "steps"), before)
                        : perhaps(value, before);
            case "onException", "onCompletion", "intercept", "interceptFrom", "interceptSendToEndpoint" -> before;
            case "setHeader", "setHeaders", "removeHeader", "removeHeaders" -> headers(value, before);
            default -> steps(RouteTable.list(value, "steps"), before);
        };
    }

    /** Behind a change of these headers a route may serve another order. A saga knows its order without them. */
    private OrderState headers(Node value, OrderState before) {
        List<String> names = new ArrayList<>();
        Nodes.walk(
                value,
                node -> Stream.of("name", "pattern")
                        .flatMap(key -> Nodes.text(node, key).stream())
                        .forEach(names::add));
        if (value instanceof ScalarNode name) {
            names.add(name.getValue());
        }
        boolean changes = HEADERS.stream()
                .anyMatch(header -> names.stream().anyMatch(name -> PatternHelper.matchPattern(header, name)));
        return undoing && heard != null && changes ? stop(before) : before;
    }

    private OrderState stop(OrderState before) {
        if (before.alive()) {
            stopped = Optional.of(stopped.map(before::meet).orElse(before));
        }
        return before.dead();
    }

    /**
     * Steps that may run for no part of a message. The message of a compensation has no body, so a split has no parts.
     * The message of an order has parts; if not, the service of a later step refuses the order.
     */
    private OrderState perhaps(Node value, OrderState before) {
        OrderState through = steps(RouteTable.list(value, "steps"), before);
        return undoing ? before.meet(through) : through;
    }

    private OrderState choice(Node choice, OrderState before) {
        OrderState behind = before.dead();
        for (Node when : RouteTable.list(choice, "when")) {
            Optional<Boolean> holds = conditions.holds(when, heard);
            if (holds.orElse(true)) {
                behind = behind.meet(steps(RouteTable.list(when, "steps"), before));
            }
            if (holds.isPresent() && holds.get()) {
                return behind;
            }
        }
        List<Node> otherwise = Nodes.value(choice, "otherwise")
                .map(each -> RouteTable.list(each, "steps"))
                .orElse(List.of());
        return behind.meet(steps(otherwise, before));
    }

    private OrderState filter(Node filter, OrderState before) {
        Optional<Boolean> holds = conditions.holds(filter, heard);
        if (holds.isPresent() && !holds.get()) {
            return before;
        }
        OrderState through = steps(RouteTable.list(filter, "steps"), before);
        return holds.isPresent() ? through : before.meet(through);
    }

    /**
     * Each branch gets a copy. A branch may rely on an earlier branch only when the branches run in sequence and a
     * failure ends the sequence.
     */
    private OrderState multicast(Node multicast, OrderState before) {
        boolean inTurn =
                RouteTable.isTrue(multicast, "stopOnException") && !RouteTable.isTrue(multicast, "parallelProcessing");
        OrderState behind = before;
        for (Node branch : RouteTable.list(multicast, "steps")) {
            behind = behind.join(steps(List.of(branch), inTurn ? behind : before));
        }
        // An aggregation strategy may drop the failure of a branch, and a timeout the whole branch.
        boolean mayDrop = Nodes.value(multicast, "timeout").isPresent()
                || Nodes.value(multicast, "aggregationStrategy").isPresent()
                        && !RouteTable.isTrue(multicast, "stopOnException");
        return undoing && mayDrop ? before.meet(behind) : behind;
    }

    private OrderState anyOf(List<Node> branches, OrderState before) {
        OrderState behind = before.dead();
        for (Node branch : branches) {
            behind = behind.meet(steps(List.of(branch), before));
        }
        return branches.isEmpty() ? before : behind;
    }

    private OrderState attempt(Node attempt, OrderState before) {
        OrderState behind = steps(RouteTable.list(attempt, "steps"), before);
        for (Node caught : RouteTable.list(attempt, "doCatch")) {
            if (!undoing || FailureHandlers.catchesFailures(caught)) {
                behind = behind.meet(steps(RouteTable.list(caught, "steps"), before));
            }
        }
        OrderState caughtOrNot = behind;
        return Nodes.value(attempt, "doFinally")
                .map(last -> steps(RouteTable.list(last, "steps"), caughtOrNot))
                .orElse(behind);
    }

    private OrderState circuitBreaker(Node breaker, OrderState before) {
        OrderState behind = steps(RouteTable.list(breaker, "steps"), before);
        Optional<Node> fallback = Nodes.value(breaker, "onFallback");
        if (fallback.isPresent()) {
            return behind.meet(steps(RouteTable.list(fallback.get(), "steps"), before));
        }
        // Unless set to throw, Camel continues after an open breaker as if the steps had run.
        boolean isThrowing = Nodes.value(breaker, "resilience4jConfiguration")
                .filter(settings -> RouteTable.isTrue(settings, "throwExceptionWhenHalfOpenOrOpenState"))
                .isPresent();
        return isThrowing ? behind : before.meet(behind);
    }

    private OrderState call(String key, Node value, OrderState before) {
        OrderState behind = before;
        for (EndpointCalls.Target target : EndpointCalls.in(key, value, undoing)) {
            OrderState there = call(target, behind);
            behind = EndpointCalls.isAwaited(key, target.endpoint(), value) ? there : behind;
        }
        return behind;
    }

    private OrderState call(EndpointCalls.Target target, OrderState before) {
        if (!before.alive()) {
            return before;
        }
        String endpoint = target.endpoint();
        if (undoing) {
            if (FAIL_AGAIN.contains(endpoint)) {
                return before.dead();
            }
            Step undone = COMPENSATIONS.get(endpoint);
            return undone != null
                    ? before.with(undone, target.node())
                    : routes.at(endpoint).map(route -> route(route, before)).orElse(before);
        }
        Step step = endpoint.equals(BOOKED) ? Step.PROCESS_PAYMENT : ACTIONS.get(endpoint);
        if (step != null) {
            return calls.step(inside.peek(), step, target.node(), before);
        }
        if (endpoint.equals("saga:compensate")) {
            calls.turnsBack(inside.peek(), target.node());
        }
        if (endpoint.equals("saga:complete")) {
            calls.completes();
        }
        if (ENDS.contains(endpoint)) {
            return before.dead();
        }
        calls.compensation(endpoint, before);
        return routes.at(endpoint).map(route -> route(route, before)).orElse(before);
    }

    /** Returns the compensations of services that an endpoint calls on every path and waits for. */
    private Set<String> undoneBy(Node compensation, String endpoint) {
        FlowPaths paths = new FlowPaths(files, calls, true);
        OrderState end = paths.call(new EndpointCalls.Target(endpoint, compensation), OrderState.fresh(false));
        Set<String> undone = paths.certain(end).stream()
                .flatMap(step -> step.compensation().stream())
                .map(name -> "direct:" + name)
                .collect(Collectors.toCollection(HashSet::new));
        undone.add(endpoint);
        return undone;
    }
}
