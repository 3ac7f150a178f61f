package io.caravanserai.flow;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.ServiceStatus;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteBuilderLifecycleStrategy;
import org.apache.camel.model.RouteDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One version of a flow whose routes are in the context. */
final class RunningVersion {
    private static final Logger LOG = LoggerFactory.getLogger(RunningVersion.class);
    private static final long DRAIN_SECONDS = 30;

    private final CamelContext context;
    private final FlowVersion version;
    private final LocalNames names;
    private final List<String> routes = new ArrayList<>();

    private RunningVersion(CamelContext context, FlowVersion version, LocalNames names) {
        this.context = context;
        this.version = version;
        this.names = names;
    }

    /** Adds and starts the routes of a version; when one fails, none of them stays. */
    static RunningVersion start(CamelContext context, FlowVersion version) throws Exception {
        FlowLoader.Loaded loaded = FlowLoader.load(context, version);
        RunningVersion running = new RunningVersion(context, version, loaded.names());
        loaded.builder().addLifecycleInterceptor(new RouteBuilderLifecycleStrategy() {
            @Override
            public void afterConfigure(RouteBuilder builder) {
                running.nameRoutes(builder.getRouteCollection().getRoutes());
            }
        });
        try {
            context.addRoutes(loaded.builder());
            return running;
        } catch (Exception e) {
            running.remove();
            throw e;
        }
    }

    private void nameRoutes(List<RouteDefinition> definitions) {
        int number = 0;
        for (RouteDefinition route : definitions) {
            number++;
            String id = route.hasCustomIdAssigned() ? route.getId() : version.flow() + "-" + number;
            route.setId(LocalNames.versioned(id, version.version()));
            // Ids of steps must be unique in the whole context too.
            route.setNodePrefixId("v" + version.version() + "-");
            routes.add(route.getId());
        }
    }

    FlowVersion version() {
        return version;
    }

    LocalNames names() {
        return names;
    }

    /** Exchanges that are on their way through its routes. */
    int inFlight() {
        return routes.stream()
                .mapToInt(id -> context.getInflightRepository().size(id))
                .sum();
    }

    /** Stops its routes, letting what is in them finish, and takes them away. */
    void remove() {
        for (String id : routes) {
            try {
                if (context.getRouteController().getRouteStatus(id) != ServiceStatus.Stopped) {
                    context.getRouteController().stopRoute(id, DRAIN_SECONDS, TimeUnit.SECONDS);
                }
                context.removeRoute(id);
            } catch (Exception e) {
                LOG.atWarn().addKeyValue("route", id).setCause(e).log("route not removed");
            }
        }
    }
}
