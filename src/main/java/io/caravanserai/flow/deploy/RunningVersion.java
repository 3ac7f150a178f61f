package io.caravanserai.flow.deploy;

import io.caravanserai.flow.check.FlowBeans;
import io.caravanserai.flow.check.FlowLoader;
import io.caravanserai.flow.check.HttpIngress;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.RestRoutes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.ServiceStatus;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteBuilderLifecycleStrategy;
import org.apache.camel.model.LogDefinition;
import org.apache.camel.model.Model;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * A flow version with routes in the context. The {@link #entryRoutes}, which consume messages from outside the file,
 * start separately: of two versions side by side only the newer consumes.
 */
public final class RunningVersion {
    private static final Logger LOG = LoggerFactory.getLogger(RunningVersion.class);
    private static final long STOP_SECONDS = 20;

    private final CamelContext context;
    private final FlowVersion version;
    private final VersionedEndpoints names;
    private final Set<String> calls;
    private final List<HttpIngress.Door> httpDoors;
    private final Node tree;
    private final boolean hasSaga;
    private final FlowBeans beansBefore;
    private final LoopGuard loops = new LoopGuard();
    private final EntryRoutes entryRoutes;
    private final List<String> ids = new ArrayList<>();
    private final List<String> routes = new ArrayList<>();

    private RunningVersion(CamelContext context, FlowVersion version, FlowLoader.Loaded loaded, FlowBeans beansBefore) {
        this.context = context;
        this.version = version;
        this.names = loaded.names();
        this.calls = loaded.calls();
        this.httpDoors = loaded.httpDoors();
        this.tree = loaded.tree();
        this.hasSaga = loaded.hasSaga();
        this.beansBefore = beansBefore;
        this.entryRoutes = new EntryRoutes(context, version, loops);
    }

    /** Adds and starts the routes of a version without the entry routes. On a failure no route remains. */
    static RunningVersion start(CamelContext context, FlowVersion version) throws Exception {
        FlowBeans beans = FlowBeans.remember(context, version.file(), version.text());
        FlowLoader.Loaded loaded;
        try {
            loaded = FlowLoader.load(context, version);
        } catch (Exception e) {
            beans.restore();
            throw e;
        }
        RunningVersion running = new RunningVersion(context, version, loaded, beans);
        loaded.builder().addLifecycleInterceptor(new RouteBuilderLifecycleStrategy() {
            @Override
            public void afterConfigure(RouteBuilder builder) {
                RestRoutes.unfold(builder, context);
                running.nameRoutes(builder.getRouteCollection().getRoutes());
                running.replaceTemplates(builder);
                PlannedRetries.watch(builder, context);
            }
        });
        try {
            loaded.addTo(context);
            return running;
        } catch (Exception e) {
            running.remove();
            running.restoreBeans();
            throw e;
        }
    }

    /** Restores the beans from before this version; for a version that did not start. */
    void restoreBeans() {
        beansBefore.restore();
    }

    private void nameRoutes(List<RouteDefinition> definitions) {
        int number = 0;
        String nodePrefix = version.flow() + "-" + version.version() + "-";
        for (RouteDefinition route : definitions) {
            number++;
            String id = route.hasCustomIdAssigned() ? route.getId() : version.flow() + "-" + number;
            ids.add(id);
            route.setId(VersionedEndpoints.versioned(version.flow(), id, version.version()));
            route.addInterceptStrategy(loops);
            route.addInterceptStrategy(new FailedSteps(nodePrefix));
            // Ids of steps must be unique in the whole context as well.
            route.setNodePrefixId(nodePrefix);
            routes.add(route.getId());
            // Camel's default logger is the route id: a logger for each version, with a name for which no level can be
            // configured.
            ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), LogDefinition.class).stream()
                    .filter(log -> log.getLogName() == null)
                    .forEach(log -> log.setLogName("flow." + version.flow()));
            String uri = route.getInput().getEndpointUri();
            if (!isLocal(uri)) {
                if (!"false".equals(route.getAutoStartup())) {
                    entryRoutes.add(route.getId(), uri);
                }
                route.setAutoStartup("false");
            }
        }
    }

    private boolean isLocal(String uri) {
        // The key ends before the version.
        return names.contains(VersionedEndpoints.keyOf(uri));
    }

    private void replaceTemplates(RouteBuilder builder) {
        Model model = context.getCamelContextExtension().getContextPlugin(Model.class);
        builder.getRouteTemplateCollection().getRouteTemplates().forEach(template -> {
            try {
                model.removeRouteTemplateDefinitions(template.getId());
            } catch (Exception e) {
                throw new IllegalStateException("the template " + template.getId() + " cannot be replaced", e);
            }
        });
    }

    public FlowVersion version() {
        return version;
    }

    public VersionedEndpoints names() {
        return names;
    }

    /** Returns the {@code direct:} endpoints outside the file that the flow calls. */
    Set<String> calls() {
        return calls;
    }

    /** Returns the ids of the routes as written in the file. */
    List<String> ids() {
        return ids;
    }

    /** Whether a saga records the compensations of the orders. */
    public boolean hasSaga() {
        return hasSaga;
    }

    /** Returns the HTTP paths of the flow. */
    List<HttpIngress.Door> httpDoors() {
        return httpDoors;
    }

    /** Returns the tree of the text, with Kamelets inlined and names as written. */
    Node tree() {
        return tree;
    }

    /** The routes that consume messages from outside the file. */
    EntryRoutes entryRoutes() {
        return entryRoutes;
    }

    /** Ends each exchange that loops endlessly in the routes. Other exchanges continue. */
    void endLoops() {
        loops.endLoops();
    }

    /** Number of exchanges in the routes. */
    public int inFlight() {
        return routes.stream()
                .mapToInt(id -> context.getInflightRepository().size(id))
                .sum();
    }

    /** Stops the routes, lets exchanges in the routes finish, and removes the routes. */
    void remove() {
        for (String id : routes) {
            try {
                ServiceStatus status = context.getRouteController().getRouteStatus(id);
                if (status != null && !status.isStopped()) {
                    context.getRouteController().stopRoute(id, STOP_SECONDS, TimeUnit.SECONDS);
                }
                context.removeRoute(id);
                Model model = context.getCamelContextExtension().getContextPlugin(Model.class);
                RouteDefinition left = model.getRouteDefinition(id);
                if (left != null) {
                    model.removeRouteDefinition(left);
                }
            } catch (Exception e) {
                LOG.atWarn().addKeyValue("route", id).setCause(e).log("route not removed");
            }
        }
    }
}
