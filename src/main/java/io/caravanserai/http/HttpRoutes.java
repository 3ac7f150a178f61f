package io.caravanserai.http;

import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The table of endpoints. Filled before the server starts, then read only. */
public final class HttpRoutes {
    private final Node root = new Node();
    private final List<Endpoint> endpoints = new ArrayList<>();

    public Endpoint get(String path, Permission access, Endpoint.Handler handler) {
        return add("GET", path, access, handler);
    }

    public Endpoint post(String path, Permission access, Endpoint.Handler handler) {
        return add("POST", path, access, handler);
    }

    public Endpoint put(String path, Permission access, Endpoint.Handler handler) {
        return add("PUT", path, access, handler);
    }

    public Endpoint delete(String path, Permission access, Endpoint.Handler handler) {
        return add("DELETE", path, access, handler);
    }

    /** @param path segments in braces are parameters: {@code /orders/{id}} */
    public Endpoint add(String method, String path, Permission access, Endpoint.Handler handler) {
        return add(new Endpoint(method, path, access, handler, null));
    }

    /**
     * Adds a GET endpoint that writes the response, for streams. The permission is checked before the call; path
     * parameters are in {@link RoutingContext#pathParams()}.
     */
    public Endpoint raw(String path, Permission access, io.vertx.core.Handler<RoutingContext> handler) {
        return add(new Endpoint("GET", path, access, null, handler));
    }

    /** Returns all endpoints, in the order of addition. */
    public List<Endpoint> table() {
        return Collections.unmodifiableList(endpoints);
    }

    private Endpoint add(Endpoint endpoint) {
        Node node = root;
        List<String> names = new ArrayList<>();
        for (String segment : segments(endpoint.path())) {
            if (segment.startsWith("{")) {
                names.add(segment.substring(1, segment.length() - 1));
                node = node.parameter == null ? node.parameter = new Node() : node.parameter;
            } else {
                node = node.literals.computeIfAbsent(segment, none -> new Node());
            }
        }
        if (node.targets.putIfAbsent(endpoint.method(), new Target(endpoint, names)) != null) {
            throw new IllegalArgumentException(endpoint.method() + " " + endpoint.path() + " is there already");
        }
        endpoints.add(endpoint);
        return endpoint;
    }

    /**
     * Returns the endpoints of a path; empty for an unknown path. A literal segment has priority over a parameter.
     * @param path as in the request line, still encoded
     * @throws IllegalArgumentException when the encoding is invalid
     */
    Optional<Match> find(String path) {
        List<String> values = new ArrayList<>(2);
        Node node = root;
        for (String raw : segments(path)) {
            String segment = UrlText.isPlain(raw) ? raw : decode(raw);
            Node next = node.literals.get(segment);
            if (next == null) {
                next = node.parameter;
                values.add(segment);
            }
            if (next == null || segment.isEmpty() && !path.equals("/")) {
                return Optional.empty();
            }
            node = next;
        }
        return node.targets.isEmpty() ? Optional.empty() : Optional.of(new Match(node.targets, values));
    }

    private static String decode(String segment) {
        // A plus in a path stands for a plus; the decoder is for forms.
        return UrlText.decode(segment.replace("+", "%2B"));
    }

    private static List<String> segments(String path) {
        return List.of(path.substring(1).split("/", -1));
    }

    private static final class Node {
        private final Map<String, Node> literals = new HashMap<>();
        private final Map<String, Target> targets = new TreeMap<>();
        private Node parameter;
    }

    private record Target(Endpoint endpoint, List<String> names) {}

    /** The endpoints of a path by method, with the values of the parameters. */
    record Match(Map<String, Target> targets, List<String> values) {

        Optional<Endpoint> endpoint(String method) {
            return Optional.ofNullable(targets.get(method.equals("HEAD") ? "GET" : method))
                    .map(Target::endpoint);
        }

        Map<String, String> parameters(Endpoint endpoint) {
            List<String> names = targets.get(endpoint.method()).names();
            Map<String, String> parameters = new HashMap<>();
            for (int i = 0; i < names.size(); i++) {
                parameters.put(names.get(i), values.get(i));
            }
            return parameters;
        }

        /** The value of an Allow header. */
        String allow() {
            List<String> methods = new ArrayList<>(targets.keySet());
            if (methods.contains("GET")) {
                methods.add("HEAD");
            }
            methods.add("OPTIONS");
            return String.join(", ", methods);
        }
    }
}
