package io.caravanserai.flow.yaml;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The id of a route of one version of a flow, such as {@code order-queue@7} or {@code queue-pay@order-queue.7}.
 *
 * @param route the id as it stands in the file
 * @param flow null when the route's own id begins with the flow's name
 */
public record RouteName(String route, String flow, int version) {
    private static final Pattern FORM = Pattern.compile("([^@]+)@(?:(.+)\\.)?(\\d{1,9})");

    /** Empty when it is no id of a flow's route. */
    public static Optional<RouteName> of(String id) {
        Matcher form = FORM.matcher(String.valueOf(id));
        return form.matches()
                ? Optional.of(new RouteName(form.group(1), form.group(2), Integer.parseInt(form.group(3))))
                : Optional.empty();
    }

    /** Of an endpoint of one version, such as {@code direct://pay-back@order-queue.7}; empty when it has no version. */
    public static Optional<RouteName> ofEndpoint(String uri) {
        String path = uri.replaceFirst("[?].*", "");
        return of(path.substring(Math.max(path.lastIndexOf('/'), path.lastIndexOf(':')) + 1));
    }

    /** The flows it may belong to: names that begin with the flow's name and a dot do not tell where that ends. */
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

    /** Whether the route is one of this flow. */
    public boolean isOf(String name) {
        return flow == null ? route.equals(name) || route.startsWith(name + ".") : flow.equals(name);
    }
}
