package io.caravanserai.flow;

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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Follows an order through routes, whatever their files, and tells each call of a service with what is certain there. */
final class FlowPaths {
    static final Map<String, Step> ACTIONS = Arrays.stream(Step.values())
            .collect(Collectors.toUnmodifiableMap(step -> "direct:" + step.action(), Function.identity()));
    static final String BOOKED = "direct:payment-captured";

    /** Behind these an order does not go on. */
    private static final Set<String> ENDS = Set.of(
            "direct:payment-declined",
            "direct:give-up",
            "direct:tell-failure",
            "direct:service-unavailable",
            "saga:compensate");

    private static final Pattern EVENT_TYPE = Pattern.compile("\\$\\{header\\.eventType} *== *['\"](\\w+)['\"]");
    /** A flow that takes longer to follow is not followed to its end: it may be built to. */
    private static final int MAX_CALLS = 20_000;

    private final RouteTable routes;
    private final Calls calls;
    private final Deque<RouteTable.Route> inside = new ArrayDeque<>();
    private String event;
    private int called;

    /** Hears of each call of an endpoint of the hub. */
    interface Calls {
        /** @return what is certain behind it */
        OrderState step(RouteTable.Route route, Step step, Node call, OrderState before);

        void compensation(String endpoint, OrderState before);

        /** The order's saga turns back here. */
        void turnsBack(RouteTable.Route route, Node call);

        /** A saga of its own ended within another; what was done in it is certain, and not undone by it any more. */
        void ownSagaEnded(RouteTable.Route route, OrderState before, OrderState end);
    }

    FlowPaths(RouteTable routes, Calls calls) {
        this.routes = routes;
        this.calls = calls;
    }

    /**
     * Follows an order through a route.
     *
     * @param event the type of the event that brought it there; null when none did
     * @return what is certain behind it
     */
    OrderState follow(RouteTable.Route route, OrderState before, String heard) {
        String outer = event;
        event = heard;
        OrderState behind = route(route, before);
        event = outer;
        return behind;
    }

    private OrderState route(RouteTable.Route route, OrderState before) {
        if (inside.contains(route) || called++ > MAX_CALLS) {
            return before;
        }
        inside.push(route);
        OrderState behind = steps(route.steps(), before);
        inside.pop();
        return behind;
    }

    private OrderState steps(List<Node> steps, OrderState before) {
        OrderState state = before;
        Deque<OrderState> outsideOwn = new ArrayDeque<>();
        for (Node step : steps) {
            Optional<Node> saga = Nodes.value(step, "saga");
            if (saga.isPresent()) {
                // A saga spans what stands behind it in the same list, too.
                if (isOwn(saga.get(), state)) {
                    outsideOwn.push(state);
                }
                state = steps(RouteTable.list(saga.get(), "steps"), enter(saga.get(), state));
            } else if (step instanceof MappingNode mapping) {
                for (NodeTuple tuple : mapping.getValue()) {
                    state = step(((ScalarNode) tuple.getKeyNode()).getValue(), tuple.getValueNode(), state);
                }
            }
        }
        while (!outsideOwn.isEmpty()) {
            state = leave(state, outsideOwn.pop());
        }
        return state;
    }

    private OrderState enter(Node saga, OrderState before) {
        Set<String> undone = Nodes.value(saga, "compensation")
                .flatMap(LocalNames::uriOf)
                .map(uri -> undoneBy(LocalNames.keyOf(uri)))
                .orElse(Set.of());
        return before.joined(undone, Nodes.value(saga, "compensation").orElse(null));
    }

    /** Whether a saga inside another ends by itself. */
    private static boolean isOwn(Node saga, OrderState outside) {
        return outside.inSaga()
                && Nodes.text(saga, "propagation")
                        .filter("REQUIRES_NEW"::equals)
                        .isPresent();
    }

    private OrderState leave(OrderState end, OrderState outside) {
        calls.ownSagaEnded(inside.peek(), outside, end);
        return end.under(outside);
    }

    private OrderState step(String key, Node value, OrderState before) {
        return switch (key) {
            case "to", "toD", "wireTap", "enrich", "pollEnrich", "poll", "recipientList", "routingSlip" ->
                call(key, value, before);
            case "choice" -> choice(value, before);
            case "filter" -> filter(value, before);
            case "multicast" -> multicast(value, before);
            case "loadBalance" -> anyOf(RouteTable.list(value, "steps"), before);
            case "doTry" -> attempt(value, before);
            case "circuitBreaker" -> circuitBreaker(value, before);
            case "throwException", "rollback", "stop" -> before.dead();
            case "onException", "onCompletion", "intercept", "interceptFrom", "interceptSendToEndpoint" -> before;
            default -> steps(RouteTable.list(value, "steps"), before);
        };
    }

    private OrderState choice(Node choice, OrderState before) {
        OrderState behind = before.dead();
        for (Node when : RouteTable.list(choice, "when")) {
            Optional<Boolean> holds = holds(when);
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
        Optional<Boolean> holds = holds(filter);
        if (holds.isPresent() && !holds.get()) {
            return before;
        }
        OrderState through = steps(RouteTable.list(filter, "steps"), before);
        return holds.isPresent() ? through : before.meet(through);
    }

    /** Whether a condition that only asks for the event's type holds; empty when it asks for something else. */
    private Optional<Boolean> holds(Node conditional) {
        if (event == null) {
            return Optional.empty();
        }
        Node expression = Nodes.value(conditional, "expression").orElse(conditional);
        return Nodes.value(expression, "simple")
                .flatMap(simple -> simple instanceof ScalarNode text
                        ? Optional.of(text.getValue())
                        : Nodes.text(simple, "expression"))
                .map(String::strip)
                .map(EVENT_TYPE::matcher)
                .filter(Matcher::matches)
                .map(asked -> asked.group(1).equals(event));
    }

    /** Each branch has a copy: none may rely on another, unless they run in turn and one that fails ends it. */
    private OrderState multicast(Node multicast, OrderState before) {
        boolean inTurn = isTrue(multicast, "stopOnException") && !isTrue(multicast, "parallelProcessing");
        OrderState behind = before;
        for (Node branch : RouteTable.list(multicast, "steps")) {
            behind = behind.join(steps(List.of(branch), inTurn ? behind : before));
        }
        return behind;
    }

    private static boolean isTrue(Node node, String key) {
        return Nodes.text(node, key).filter("true"::equals).isPresent();
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
            behind = behind.meet(steps(RouteTable.list(caught, "steps"), before));
        }
        OrderState caughtOrNot = behind;
        return Nodes.value(attempt, "doFinally")
                .map(last -> steps(RouteTable.list(last, "steps"), caughtOrNot))
                .orElse(behind);
    }

    private OrderState circuitBreaker(Node breaker, OrderState before) {
        OrderState behind = steps(RouteTable.list(breaker, "steps"), before);
        return Nodes.value(breaker, "onFallback")
                .map(fallback -> behind.meet(steps(RouteTable.list(fallback, "steps"), before)))
                .orElse(behind);
    }

    private OrderState call(String key, Node value, OrderState before) {
        OrderState behind = before;
        for (Target target : targets(key, value)) {
            OrderState there = call(target, behind);
            behind = isAwaited(key, target.endpoint(), value) ? there : behind;
        }
        return behind;
    }

    /** An endpoint that a step names. */
    private record Target(String endpoint, Node node) {}

    private static List<Target> targets(String key, Node value) {
        if (key.equals("to") || key.equals("wireTap")) {
            return LocalNames.uriOf(value).map(uri -> new Target(LocalNames.keyOf(uri), place(value))).stream()
                    .toList();
        }
        List<Target> targets = new ArrayList<>();
        Nodes.walk(value, node -> {
            if (node instanceof ScalarNode text) {
                LocalNames.in(text.getValue()).forEach(name -> targets.add(new Target(name, text)));
            }
        });
        return targets;
    }

    /** Where the endpoint's text stands, when it is there as one. */
    private static Node place(Node endpoint) {
        return Nodes.value(endpoint, "uri")
                .filter(uri -> uri instanceof ScalarNode text && text.getValue().contains(":"))
                .orElse(endpoint);
    }

    private static boolean isAwaited(String key, String endpoint, Node value) {
        if (key.equals("wireTap")) {
            return false;
        }
        boolean isQueue = endpoint.startsWith("jms:") || endpoint.startsWith("seda:");
        boolean asks = Nodes.text(value, "pattern").filter("InOut"::equals).isPresent()
                || Nodes.value(value, "parameters")
                        .flatMap(parameters -> Nodes.text(parameters, "exchangePattern"))
                        .filter("InOut"::equals)
                        .isPresent()
                || LocalNames.uriOf(value)
                        .filter(uri -> uri.contains("exchangePattern=InOut"))
                        .isPresent();
        return !isQueue || asks || !key.equals("to");
    }

    private OrderState call(Target target, OrderState before) {
        if (!before.alive()) {
            return before;
        }
        String endpoint = target.endpoint();
        Step step = endpoint.equals(BOOKED) ? Step.PROCESS_PAYMENT : ACTIONS.get(endpoint);
        if (step != null) {
            return calls.step(inside.peek(), step, target.node(), before);
        }
        if (endpoint.equals("saga:compensate")) {
            calls.turnsBack(inside.peek(), target.node());
        }
        if (ENDS.contains(endpoint)) {
            return before.dead();
        }
        calls.compensation(endpoint, before);
        return routes.at(endpoint).map(route -> route(route, before)).orElse(before);
    }

    /** The compensations of the services that an endpoint leads to, itself or through routes. */
    private Set<String> undoneBy(String endpoint) {
        Set<String> reached = new HashSet<>();
        Deque<String> toGo = new ArrayDeque<>(List.of(endpoint));
        while (!toGo.isEmpty()) {
            String next = toGo.pop();
            if (reached.add(next)) {
                routes.at(next)
                        .ifPresent(route -> route.steps()
                                .forEach(each -> Nodes.walk(each, node -> {
                                    LocalNames.uriOf(node)
                                            .map(LocalNames::keyOf)
                                            .ifPresent(toGo::add);
                                    if (node instanceof ScalarNode text) {
                                        toGo.addAll(LocalNames.in(text.getValue()));
                                    }
                                })));
            }
        }
        return reached;
    }
}
