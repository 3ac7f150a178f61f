package io.caravanserai.flow.yaml;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Replaces the Kamelets of a flow by their steps. The steps then run in the routes of one flow version, under the error
 * handling of the flow, and every check sees the steps. A fault points into the Kamelet, or to the use of the Kamelet
 * when a parameter causes the fault.
 */
public final class KameletInliner {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{(\\??)([A-Za-z0-9_.-]+)}}");
    // The content of these keys belongs to a component or a bean; the key "to" has another meaning there.
    private static final Set<String> FOREIGN = Set.of("parameters", "properties", "beans", "constructors");
    private static final int DEEPEST = 10;

    private final String file;
    private final Kamelets kamelets;
    private final List<Fault> faults;

    /**
     * A use of a Kamelet in a flow.
     * @param place position of the use
     * @param given parameters by name
     * @param then the steps that follow the end of the Kamelet
     */
    private record Use(String name, Node place, Map<String, ScalarNode> given, List<Node> then) {}

    private KameletInliner(String file, Kamelets kamelets, List<Fault> faults) {
        this.file = file;
        this.kamelets = kamelets;
        this.faults = faults;
    }

    /**
     * Returns a copy of the tree without Kamelets; the tree itself when no Kamelet is used.
     * @param faults receives the faults of the uses
     */
    public static Node writtenInto(String file, Node root, Kamelets kamelets, List<Fault> faults) {
        boolean named = !Nodes.keysOf(root, "kamelet").isEmpty()
                || EndpointUse.in(root).stream().anyMatch(use -> isKamelet(use.full()));
        return named ? new KameletInliner(file, kamelets, faults).copy(root, 0) : root;
    }

    /**
     * Returns the place that uses the Kamelet; for a Kamelet used by another Kamelet any place that uses a Kamelet,
     * else the root.
     * @param kameletFile file name of the Kamelet
     */
    public static Node use(Node root, String kameletFile) {
        String name = kameletFile.substring(0, kameletFile.length() - Kamelets.ENDING.length());
        List<Node> any = new ArrayList<>();
        List<Node> named = new ArrayList<>();
        for (EndpointUse use : EndpointUse.in(root)) {
            if (isKamelet(use.full())) {
                any.add(use.node());
                if (use.full().matches("kamelet:" + Pattern.quote(name) + "([?/].*)?")) {
                    named.add(use.node());
                }
            }
        }
        for (Node step : Nodes.valuesOf(root, "kamelet")) {
            Node place = Nodes.value(step, "name").orElse(step);
            any.add(place);
            if (Nodes.is(place, name)) {
                named.add(place);
            }
        }
        return named.stream().findFirst().or(() -> any.stream().findFirst()).orElse(root);
    }

    private static boolean isKamelet(String uri) {
        return uri.startsWith("kamelet:");
    }

    private Node copy(Node node, int depth) {
        if (node instanceof SequenceNode sequence) {
            List<Node> items = new ArrayList<>();
            sequence.getValue().forEach(item -> items.add(copy(item, depth)));
            return sequence(items, node);
        }
        if (node instanceof MappingNode mapping) {
            List<NodeTuple> tuples = new ArrayList<>();
            mapping.getValue().forEach(tuple -> tuples.add(copy(tuple, depth)));
            return mapping(tuples, node);
        }
        return node;
    }

    private NodeTuple copy(NodeTuple tuple, int depth) {
        Node key = tuple.getKeyNode();
        Node value = tuple.getValueNode();
        String word = ((ScalarNode) key).getValue();
        if (FOREIGN.contains(word)) {
            return tuple;
        }
        Optional<String> uri = VersionedEndpoints.uriOf(value).filter(KameletInliner::isKamelet);
        if (word.equals("to") && uri.isPresent()) {
            return steps(use(uri.get(), value, List.of()), key, depth);
        }
        if (word.equals("kamelet")) {
            String name = value instanceof ScalarNode text
                    ? text.getValue()
                    : Nodes.text(value, "name").orElse("");
            return steps(use("kamelet:" + name, value, stepsOf(value)), key, depth);
        }
        if (word.equals("from") && uri.isPresent()) {
            return new NodeTuple(key, source(use(uri.get(), value, stepsOf(value)), value, depth));
        }
        return new NodeTuple(key, copy(value, depth));
    }

    private static List<Node> stepsOf(Node node) {
        return Nodes.value(node, "steps")
                .filter(SequenceNode.class::isInstance)
                .map(steps -> ((SequenceNode) steps).getValue())
                .orElse(List.of());
    }

    private static Use use(String uri, Node value, List<Node> then) {
        Map<String, ScalarNode> given = new HashMap<>();
        String[] parts = uri.substring("kamelet:".length()).split("\\?", 2);
        if (parts.length == 2) {
            for (String option : parts[1].split("&")) {
                String[] pair = option.split("=", 2);
                given.put(pair[0], scalar(pair.length == 2 ? pair[1] : "", value));
            }
        }
        if (Nodes.value(value, "parameters").orElse(null) instanceof MappingNode parameters) {
            parameters.getValue().forEach(tuple -> {
                if (tuple.getValueNode() instanceof ScalarNode text) {
                    given.put(((ScalarNode) tuple.getKeyNode()).getValue(), text);
                }
            });
        }
        return new Use(parts[0].split("/", 2)[0], value, given, then);
    }

    /** Returns the steps of a Kamelet in place of the step that uses the Kamelet. */
    private NodeTuple steps(Use use, Node key, int depth) {
        Node steps = from(use, depth)
                .flatMap(from -> Nodes.value(from, "steps"))
                .orElseGet(() -> sequence(List.of(), use.place()));
        return new NodeTuple(
                scalar("pipeline", key),
                mapping(List.of(new NodeTuple(scalar("steps", use.place()), steps)), use.place()));
    }

    private Node source(Use use, Node from, int depth) {
        return from(use, depth).orElse(from);
    }

    /** Returns the {@code from} of a Kamelet with the parameters filled in; empty when a fault was added. */
    private Optional<Node> from(Use use, int depth) {
        if (depth == DEEPEST) {
            return fault(use, "Kamelets call each other without end");
        }
        try {
            Optional<Node> kamelet = kamelets.find(use.name());
            if (kamelet.isEmpty()) {
                return fault(
                        use, "there is no Kamelet '" + use.name() + "'" + DidYouMean.of(use.name(), kamelets.names()));
            }
            List<Fault> badKeys = FlowText.badKeys(file, kamelet.get());
            if (!badKeys.isEmpty()) {
                faults.addAll(badKeys);
                return Optional.empty();
            }
            Optional<Node> template = Nodes.value(kamelet.get(), "spec").flatMap(spec -> Nodes.value(spec, "template"));
            Optional<Node> from = template.flatMap(each -> Nodes.value(each, "from")
                    .or(() -> Nodes.value(each, "route").flatMap(route -> Nodes.value(route, "from"))));
            if (!(from.orElse(null) instanceof MappingNode)) {
                return fault(use, "the Kamelet '" + use.name() + "' has no route");
            }
            if (template.flatMap(each -> Nodes.value(each, "beans")).isPresent()) {
                return fault(use, "the Kamelet '" + use.name() + "' has beans: put them into a flow file of their own");
            }
            int before = faults.size();
            Filling filling = new Filling(use, parameters(kamelet.get(), use));
            return faults.size() > before ? Optional.empty() : Optional.of(copy(filling.all(from.get()), depth + 1));
        } catch (YamlEngineException e) {
            faults.add(FlowText.notYaml(Kamelets.fileOf(use.name()), e));
            return Optional.empty();
        }
    }

    private Map<String, String> parameters(Node kamelet, Use use) {
        Optional<Node> definition = Nodes.value(kamelet, "spec").flatMap(spec -> Nodes.value(spec, "definition"));
        Map<String, String> values = new HashMap<>();
        Set<String> known = new HashSet<>();
        if (definition.flatMap(each -> Nodes.value(each, "properties")).orElse(null) instanceof MappingNode all) {
            for (NodeTuple each : all.getValue()) {
                String name = ((ScalarNode) each.getKeyNode()).getValue();
                known.add(name);
                Nodes.text(each.getValueNode(), "default").ifPresent(value -> values.put(name, value));
                choice(use, name, each.getValueNode());
                pattern(use, name, each.getValueNode());
            }
        }
        use.given().forEach((name, value) -> {
            values.put(name, value.getValue());
            if (!known.contains(name)) {
                faults.add(Fault.at(
                        file,
                        value,
                        "the Kamelet '" + use.name() + "' has no parameter '" + name + "'"
                                + DidYouMean.of(name, known)));
            }
        });
        if (definition.flatMap(each -> Nodes.value(each, "required")).orElse(null) instanceof SequenceNode required) {
            for (String name : texts(required)) {
                if (!values.containsKey(name)) {
                    fault(use, "the Kamelet '" + use.name() + "' needs '" + name + "'");
                }
            }
        }
        return values;
    }

    private void choice(Use use, String name, Node property) {
        ScalarNode value = use.given().get(name);
        if (value != null && Nodes.value(property, "enum").orElse(null) instanceof SequenceNode choices) {
            List<String> texts = texts(choices);
            if (!texts.contains(value.getValue()) && !value.getValue().contains("{{")) {
                faults.add(Fault.at(
                        file,
                        value,
                        "'" + name + "' cannot be '" + value.getValue() + "'" + DidYouMean.of(value.getValue(), texts)
                                + " (one of " + String.join(", ", texts) + ")"));
            }
        }
    }

    private void pattern(Use use, String name, Node property) {
        ScalarNode value = use.given().get(name);
        Optional<String> pattern = Nodes.text(property, "pattern");
        if (value != null
                && pattern.isPresent()
                && !value.getValue().contains("{{")
                && !value.getValue().matches(pattern.get())) {
            faults.add(Fault.at(
                    file,
                    value,
                    "'" + name + "' cannot be '" + value.getValue() + "': it must match " + pattern.get()));
        }
    }

    private static List<String> texts(SequenceNode list) {
        return list.getValue().stream()
                .filter(ScalarNode.class::isInstance)
                .map(each -> ((ScalarNode) each).getValue())
                .toList();
    }

    private Optional<Node> fault(Use use, String message) {
        faults.add(Fault.at(file, use.place(), message));
        return Optional.empty();
    }

    /** Fills a Kamelet with the parameters of one use. */
    private record Filling(Use use, Map<String, String> values) {

        Node all(Node from) {
            boolean ends = Nodes.valuesOf(from, "steps").stream()
                    .flatMap(steps -> stepsOfList(steps).stream())
                    .anyMatch(Filling::isSink);
            MappingNode filled = (MappingNode) fill(from);
            if (ends) {
                return filled;
            }
            // Without a sink step Camel continues after the last step of a Kamelet.
            List<Node> steps = new ArrayList<>(stepsOf(filled));
            steps.addAll(use.then());
            List<NodeTuple> tuples = new ArrayList<>(filled.getValue());
            tuples.removeIf(tuple -> Nodes.is(tuple.getKeyNode(), "steps"));
            tuples.add(new NodeTuple(scalar("steps", from), sequence(steps, from)));
            return mapping(tuples, from);
        }

        private static List<Node> stepsOfList(Node steps) {
            return steps instanceof SequenceNode sequence ? sequence.getValue() : List.of();
        }

        private static boolean isSink(Node step) {
            return Nodes.value(step, "to")
                    .flatMap(VersionedEndpoints::uriOf)
                    .filter("kamelet:sink"::equals)
                    .isPresent();
        }

        private Node fill(Node node) {
            if (node instanceof SequenceNode list) {
                List<Node> items = new ArrayList<>();
                for (Node item : list.getValue()) {
                    if (isSink(item)) {
                        items.addAll(use.then());
                    } else {
                        items.add(fill(item));
                    }
                }
                return sequence(items, node);
            }
            if (node instanceof MappingNode group) {
                List<NodeTuple> tuples = new ArrayList<>();
                for (NodeTuple tuple : group.getValue()) {
                    // Two uses in one file would have the same ids.
                    if (!Nodes.is(tuple.getKeyNode(), "id") && !isLeftOut(tuple.getValueNode())) {
                        tuples.add(new NodeTuple(tuple.getKeyNode(), fill(tuple.getValueNode())));
                    }
                }
                moveQuery(tuples);
                return mapping(tuples, node);
            }
            ScalarNode text = (ScalarNode) node;
            String filled = filled(text.getValue());
            return filled.equals(text.getValue())
                    ? text
                    : new ScalarNode(
                            text.getTag(),
                            true,
                            filled,
                            text.getScalarStyle(),
                            use.place().getStartMark(),
                            use.place().getEndMark());
        }

        /** Moves a query that a parameter has brought into the URI to the parameters: Camel accepts only one of both. */
        private void moveQuery(List<NodeTuple> tuples) {
            int uri = indexOf(tuples, "uri");
            int parameters = indexOf(tuples, "parameters");
            if (uri < 0
                    || parameters < 0
                    || !(tuples.get(uri).getValueNode() instanceof ScalarNode address)
                    || !(tuples.get(parameters).getValueNode() instanceof MappingNode given)
                    || !address.getValue().contains("?")) {
                return;
            }
            String[] parts = address.getValue().split("\\?", 2);
            List<NodeTuple> all = new ArrayList<>(given.getValue());
            for (String option : parts[1].split("&")) {
                String[] pair = option.split("=", 2);
                String name = URLDecoder.decode(pair[0], StandardCharsets.UTF_8);
                String value = pair.length == 2 ? URLDecoder.decode(pair[1], StandardCharsets.UTF_8) : "";
                all.add(new NodeTuple(scalar(name, address), scalar(value, address)));
            }
            tuples.set(uri, new NodeTuple(tuples.get(uri).getKeyNode(), scalar(parts[0], address)));
            tuples.set(parameters, new NodeTuple(tuples.get(parameters).getKeyNode(), mapping(all, given)));
        }

        private static int indexOf(List<NodeTuple> tuples, String key) {
            for (int i = 0; i < tuples.size(); i++) {
                if (Nodes.is(tuples.get(i).getKeyNode(), key)) {
                    return i;
                }
            }
            return -1;
        }

        /** Whether the value is {@code {{?name}}} and the parameter is not given. */
        private boolean isLeftOut(Node value) {
            if (value instanceof ScalarNode text) {
                Matcher placeholder = PLACEHOLDER.matcher(text.getValue());
                return placeholder.matches()
                        && placeholder.group(1).equals("?")
                        && !values.containsKey(placeholder.group(2));
            }
            return false;
        }

        private String filled(String text) {
            return PLACEHOLDER
                    .matcher(text)
                    .replaceAll(found -> Matcher.quoteReplacement(values.getOrDefault(found.group(2), found.group())));
        }
    }

    private static ScalarNode scalar(String text, Node place) {
        return new ScalarNode(Tag.STR, true, text, ScalarStyle.PLAIN, place.getStartMark(), place.getEndMark());
    }

    private static SequenceNode sequence(List<Node> items, Node place) {
        return new SequenceNode(Tag.SEQ, true, items, FlowStyle.BLOCK, place.getStartMark(), place.getEndMark());
    }

    private static MappingNode mapping(List<NodeTuple> tuples, Node place) {
        return new MappingNode(Tag.MAP, true, tuples, FlowStyle.BLOCK, place.getStartMark(), place.getEndMark());
    }
}
