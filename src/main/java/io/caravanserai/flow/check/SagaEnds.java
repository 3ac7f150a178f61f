package io.caravanserai.flow.check;

import io.caravanserai.event.EventType;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.order.Step;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Finds sagas with manual completion that no step ends: the order would rest until the deadline. */
final class SagaEnds {
    /** Exception classes with which a flow catches a refusal. */
    private static final Set<String> REFUSALS = Set.of(
            "io.caravanserai.service.StepRefusedException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
            "java.lang.Throwable");

    private final String style;
    private final FlowFiles files;
    /** Routes of sagas with manual completion, by the node of the completion mode. */
    private final Map<Node, RouteTable.Route> manual = new LinkedHashMap<>();
    /** Calls that compensate the saga, by the event that leads to the call. */
    private final Map<EventType, Place> turns = new EnumMap<>(EventType.class);

    private boolean isCompleted;

    /** A fault, or the place of one. */
    record Place(RouteTable.Route route, Node node, String message) {}

    /** @param style style of the orders; empty for routes that no known order enters */
    SagaEnds(String style, FlowFiles files) {
        this.style = style;
        this.files = files;
    }

    void begins(RouteTable.Route route, Node saga) {
        // Without an order, a saga with a timeout of its own may end by the timeout on purpose.
        boolean isLapsing = style.isEmpty() && Nodes.value(saga, "timeout").isPresent();
        Nodes.value(saga, "completionMode")
                .filter(mode -> Nodes.is(mode, "MANUAL") && !isLapsing)
                .ifPresent(mode -> manual.putIfAbsent(mode, route));
    }

    void completes() {
        isCompleted = true;
    }

    /** @param event event that leads to the call; null without an event */
    void turnsBack(EventType event, RouteTable.Route route, Node call) {
        if (event != null) {
            turns.putIfAbsent(event, new Place(route, call, ""));
        }
    }

    /**
     * Returns the faults.
     * @param walked the routes that an order may enter
     * @param used the steps that these routes call
     * @param isDrivenByEvents whether steps run in routes that consume events
     */
    List<Place> missing(Collection<RouteTable.Route> walked, Set<Step> used, boolean isDrivenByEvents) {
        if (manual.isEmpty()) {
            return List.of();
        }
        boolean turnsBack = used.isEmpty() || walked.stream().anyMatch(this::turnsBackByItself);
        Stream<Place> compensation =
                turnsBack ? Stream.empty() : isDrivenByEvents ? unheard(walked, used) : uncaught(walked);
        return Stream.concat(completion(walked), compensation).toList();
    }

    private Stream<Place> uncaught(Collection<RouteTable.Route> walked) {
        return isElsewhere("saga:compensate", walked)
                ? Stream.empty()
                : manual.entrySet().stream()
                        .map(
                                each -> new Place(
                                        each.getValue(),
                                        each.getKey(),
                                        "a failed step does not turn this saga back: with 'completionMode: MANUAL' an 'onException' or"
                                                + " 'doCatch' must lead to 'saga:compensate', or the order would rest until its deadline"));
    }

    /** Whether a route calls the endpoint that no known order enters, and that is of no other style. */
    private boolean isElsewhere(String endpoint, Collection<RouteTable.Route> walked) {
        Set<String> others = files.routes().flows().stream()
                .map(OrderJourney::styleOf)
                .filter(other -> !other.equals(style))
                .collect(Collectors.toSet());
        return files.routes().all().stream()
                .filter(route -> !walked.contains(route))
                .filter(route -> route.style().filter(others::contains).isEmpty())
                .anyMatch(route -> route.steps().stream().anyMatch(step -> contains(step, Set.of(endpoint))));
    }

    private Stream<Place> completion(Collection<RouteTable.Route> walked) {
        return isCompleted || isElsewhere("saga:complete", walked)
                ? Stream.empty()
                : manual.entrySet().stream()
                        .map(each -> new Place(
                                each.getValue(),
                                each.getKey(),
                                "nothing ends this saga: with 'completionMode: MANUAL' a route must lead to"
                                        + " 'saga:complete', or the order would rest until its deadline"));
    }

    private Stream<Place> unheard(Collection<RouteTable.Route> walked, Set<Step> used) {
        List<String> unheard = Arrays.stream(EventType.values())
                .filter(type -> type.kind() == EventType.Kind.FAILURE)
                .filter(type -> type.step().filter(used::contains).isPresent())
                .filter(type -> !turns.containsKey(type))
                .map(EventType::name)
                .toList();
        if (unheard.isEmpty()) {
            return Stream.empty();
        }
        RouteTable.Route entry = walked.iterator().next();
        Place place = turns.values().stream()
                .findFirst()
                .orElseGet(() -> new Place(entry, entry.steps().get(0), ""));
        return Stream.of(new Place(
                place.route(),
                place.node(),
                "no route that hears " + String.join(" or ", unheard)
                        + " leads to 'saga:compensate': the order would rest until its deadline"));
    }

    /**
     * Whether the file of the route compensates the saga where the file catches the refusal of a step, without an
     * event.
     */
    private boolean turnsBackByItself(RouteTable.Route route) {
        Set<String> turning = new HashSet<>(Set.of("saga:compensate"));
        files.routes().all().stream()
                .filter(other -> other.steps().stream().anyMatch(step -> contains(step, turning)))
                .forEach(other -> turning.add(other.endpoint()));
        return Optional.ofNullable(files.trees().get(route.file())).stream()
                .flatMap(tree ->
                        Stream.of("onException", "doCatch").flatMap(catches -> Nodes.valuesOf(tree, catches).stream()))
                .flatMap(caught ->
                        caught instanceof SequenceNode several ? several.getValue().stream() : Stream.of(caught))
                .filter(caught -> Nodes.value(caught, "exception").isPresent())
                .anyMatch(caught -> contains(Nodes.value(caught, "exception").orElseThrow(), REFUSALS)
                        && contains(caught, turning));
    }

    private static boolean contains(Node node, Set<String> texts) {
        AtomicBoolean found = new AtomicBoolean();
        Nodes.walk(node, each -> {
            if (each instanceof ScalarNode text
                    && texts.contains(text.getValue().strip())) {
                found.set(true);
            }
        });
        return found.get();
    }
}
