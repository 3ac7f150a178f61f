package io.caravanserai.flow.yaml;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The id of a route of a flow version, for example {@code order-queue@7} or {@code queue-pay@order-queue.7}.
 * @param route the id as written in the file
 * @param flow null when the id of the route begins with the name of the flow
 */
public record RouteName(String route, String flow, int version) {
    private static final Pattern FORM = Pattern.compile("([^@]+)@(?:(.+)\\.)?(\\d{1,9})");

    /** Returns empty when the id is not of a route of a flow. */
    public static Optional<RouteName> of(String id) {
        Matcher form = FORM.matcher(String.valueOf(id));
        return form.matches()
                ? Optional.of(new RouteName(form.group(1), form.group(2), Integer.parseInt(form.group(3))))
                : Optional.empty();
    }

    /**
     * Returns the name in a versioned endpoint, for example {@code direct://pay-back@order-queue.7}; empty without a
     * version.
     */
    public static Optional<RouteName> ofEndpoint(String uri) {
        String path = uri.replaceFirst("[?].*", "");
        return of(path.substring(Math.max(path.lastIndexOf('/'), path.lastIndexOf(':')) + 1));
    }

    /**
     * Returns the possible flows of the route: in a name that begins with the flow and a dot, the end of the flow name
     * is ambiguous.
     */
    public List<String> possibleFlows() {
        if (flow != null) {
            return List.of(flow);
        }
        List<String> flows = new ArrayList<>();
        for (int end = route.length(); end > 0; end = route.lastIndexOf('.', end - 1)) {
            flows.add(route.substring(0, end));
        }
        return flows;
    }

    /** Whether the route belongs to the flow. */
    public boolean isOf(String name) {
        return flow == null ? route.equals(name) || route.startsWith(name + ".") : flow.equals(name);
    }
}
