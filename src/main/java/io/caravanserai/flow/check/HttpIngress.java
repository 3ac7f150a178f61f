package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** The HTTP paths of a flow: {@code from: platform-http:}, {@code from: rest:} and {@code rest} blocks. */
public final class HttpIngress {
    private static final List<String> VERBS = List.of("get", "post", "put", "delete", "patch", "head", "options");
    /** The methods of Camel's platform-http, and the sign for all methods. */
    private static final List<String> METHODS =
            List.of("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH", "*");

    private static final String EVERY_METHOD = "*";

    private final List<Door> doors = new ArrayList<>();

    /**
     * A path with the served methods.
     * @param path for example {@code /hello/{name}}
     * @param methods in upper case; {@code *} for all
     */
    public record Door(String path, TreeSet<String> methods, Node node) {

        /** Whether a request could match both paths. */
        boolean meets(Door other) {
            return shape(path).equals(shape(other.path))
                    && (methods.contains(EVERY_METHOD)
                            || other.methods.contains(EVERY_METHOD)
                            || methods.stream().anyMatch(other.methods::contains));
        }

        private static List<String> shape(String path) {
            return segments(path).stream()
                    .map(segment -> segment.startsWith("{") ? "{}" : segment)
                    .toList();
        }
    }

    private HttpIngress() {}

    /** Returns the paths of a tree without Kamelets. Omits a path that is a placeholder. */
    public static List<Door> in(Node root) {
        HttpIngress found = new HttpIngress();
        for (Node from : Nodes.valuesOf(root, "from")) {
            found.from(from);
        }
        for (Node rest : Nodes.valuesOf(root, "rest")) {
            found.rest(rest);
        }
        return found.doors;
    }

    static List<Fault> check(String file, Node root, CheckContext around) {
        List<Fault> faults = new ArrayList<>();
        List<Door> before = new ArrayList<>();
        for (Door door : in(root)) {
            faults.addAll(unfit(file, door));
            ApiPaths.hiding(door.path())
                    .ifPresent(own -> faults.add(Fault.at(
                            file,
                            door.node(),
                            "the hub's own API answers at '" + own + "', no request to '" + door.path()
                                    + "' would reach the flow: take another path")));
            around.doors()
                    .forEach((other, its) -> its.stream()
                            .filter(door::meets)
                            .findFirst()
                            .ifPresent(same -> faults.add(Fault.at(
                                    file, door.node(), "'" + door.path() + "' is served by " + other + " already"))));
            if (before.stream().anyMatch(door::meets)) {
                faults.add(Fault.at(file, door.node(), "'" + door.path() + "' is served twice in this file"));
            }
            before.add(door);
        }
        return faults;
    }

    /** Returns faults that Camel and Vert.x report only when the consumer starts. */
    private static List<Fault> unfit(String file, Door door) {
        List<Fault> faults = new ArrayList<>();
        for (String method : door.methods()) {
            if (!METHODS.contains(method) && !method.contains("{{")) {
                faults.add(Fault.at(
                        file,
                        place(door),
                        "there is no HTTP method '" + method + "' (one of " + String.join(", ", METHODS.subList(0, 9))
                                + ")"));
            }
        }
        List<String> names = new ArrayList<>();
        for (String segment : segments(door.path())) {
            boolean isName = segment.startsWith("{") && segment.endsWith("}");
            if (isName && names.contains(segment)) {
                faults.add(Fault.at(file, place(door), "the path names " + segment + " more than once"));
            }
            names.add(segment);
        }
        return faults;
    }

    private static Node place(Door door) {
        return Nodes.value(door.node(), "uri").orElse(door.node());
    }

    /** Returns the segments of a path. */
    static List<String> segments(String path) {
        return Arrays.stream(path.split("/")).filter(part -> !part.isEmpty()).toList();
    }

    private void from(Node from) {
        String uri = from instanceof ScalarNode text
                ? text.getValue()
                : Nodes.text(from, "uri").orElse("");
        String[] parts = uri.split("\\?", 2);
        String scheme = parts[0].split(":", 2)[0];
        String rest = parts[0].substring(Math.min(parts[0].length(), scheme.length() + 1));
        Map<String, String> options = options(from, parts.length == 2 ? parts[1] : "");
        if (scheme.equals("platform-http")) {
            String path = rest.isEmpty() ? options.getOrDefault("path", "") : rest;
            add(path, options.getOrDefault("httpMethodRestrict", EVERY_METHOD), from);
        } else if (scheme.equals("rest")) {
            String[] words = rest.split(":", 3);
            String method = words[0].isEmpty() ? options.getOrDefault("method", EVERY_METHOD) : words[0];
            String path = words.length > 1 ? words[1] : options.getOrDefault("path", "");
            String template = words.length > 2 ? words[2] : options.getOrDefault("uriTemplate", "");
            add(path + "/" + template, method, from);
        }
    }

    private static Map<String, String> options(Node from, String query) {
        Map<String, String> options = new HashMap<>();
        for (String option : query.split("&")) {
            String[] pair = option.split("=", 2);
            options.put(pair[0], pair.length == 2 ? pair[1] : "");
        }
        if (Nodes.value(from, "parameters").orElse(null) instanceof MappingNode parameters) {
            for (NodeTuple each : parameters.getValue()) {
                if (each.getValueNode() instanceof ScalarNode value) {
                    options.put(((ScalarNode) each.getKeyNode()).getValue(), value.getValue());
                }
            }
        }
        return options;
    }

    private void rest(Node rest) {
        String base = Nodes.text(rest, "path").orElse("");
        for (String verb : VERBS) {
            Optional<Node> given = Nodes.value(rest, verb);
            List<Node> operations = given.map(
                            node -> node instanceof SequenceNode list ? list.getValue() : List.of(node))
                    .orElse(List.of());
            for (Node operation : operations) {
                add(base + "/" + Nodes.text(operation, "path").orElse(""), verb, operation);
            }
        }
    }

    private void add(String path, String methods, Node node) {
        if (path.contains("{{")) {
            return;
        }
        TreeSet<String> names = new TreeSet<>();
        for (String method : methods.split(",")) {
            names.add(method.strip().toUpperCase(Locale.ROOT));
        }
        // In the REST DSL a question mark separates the path from parameters.
        doors.add(new Door("/" + String.join("/", segments(path.split("\\?", 2)[0])), names, node));
    }
}
