package io.caravanserai.flow.yaml;

import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.rest.RestDefinition;

/**
 * Turns the {@code rest} blocks of a flow into routes when the other routes are built. Camel would create the routes
 * later, when adding the flow to the context: the routes would then have no version, start before the version is the
 * newest, and remain after the end of the version.
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
        // Otherwise Camel inlines the route behind "to: direct:x", and other callers find no consumer.
        context.getRestConfiguration().setInlineRoutes(false);
        for (RestDefinition rest : rests) {
            for (RouteDefinition route : rest.asRouteDefinition(context)) {
                builder.getRouteCollection().route(route);
            }
        }
        rests.clear();
    }
}
