package io.caravanserai.flow.yaml;

import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.rest.RestDefinition;

/**
 * Makes routes of the {@code rest} blocks of a flow when its other routes are known. Camel does so when it adds them to
 * the context: then they would have no version, start before the version is the newest, and stay when it ends.
 */
public final class RestRoutes {
    private RestRoutes() {}

    public static void unfold(RouteBuilder builder, CamelContext context) {
        List<RestDefinition> rests = builder.getRestCollection().getRests();
        if (rests.isEmpty()) {
            return;
        }
        if (builder.getRestConfiguration() != null) {
            try {
                builder.getRestConfiguration().asRestConfiguration(context, context.getRestConfiguration());
            } catch (Exception e) {
                throw new IllegalArgumentException("restConfiguration: " + e.getMessage(), e);
            }
        }
        // Else Camel takes the route behind "to: direct:x" away, and its name answers nobody else.
        context.getRestConfiguration().setInlineRoutes(false);
        for (RestDefinition rest : rests) {
            for (RouteDefinition route : rest.asRouteDefinition(context)) {
                builder.getRouteCollection().route(route);
            }
        }
        rests.clear();
    }
}
