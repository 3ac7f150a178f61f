package io.caravanserai.flow.deploy;

import io.caravanserai.flow.check.FlowBeans;
import io.caravanserai.flow.check.FlowLoader;
import io.caravanserai.flow.check.HttpIngress;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.RestRoutes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteBuilderLifecycleStrategy;
import org.apache.camel.model.LogDefinition;
import org.apache.camel.model.Model;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.service.ServiceHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * A flow version with routes in the context. The entry routes, which consume messages from outside the file, start
 * separately: of two versions side by side only the newer consumes.
 */
public final class RunningVersion {
    private static final Logger LOG = LoggerFactory.getLogger(RunningVersion.class);
    private static final long DRAIN_SECONDS = 20;
    private static final long CLOSE_SECONDS = 2;
    /** Half of the drain time is for loops that end by themselves; an endless loop may run this often. */
    private static final int MAX_PASSES_AT_FIRST = 10_000;

    private static final Duration POLL = Duration.ofMillis(20);
    // Components whose consumers share messages. Two consumers of any other component might process the same message
    // twice.
    private static final Set<String> SHARED =
            Set.of("jms", "activemq", "sjms", "sjms2", "kafka", "platform-http", "rest", "events");

    private final CamelContext context;
    private final FlowVersion version;
    private final VersionedEndpoints names;
    private final Set<String> calls;
    private final List<HttpIngress.Door> httpDoors;
    private final Node tree;
    private final boolean hasSaga;
    private final FlowBeans beansBefore;
    private final LoopGuard loops = new LoopGuard();
    private final ClosingConsumers closing = new ClosingConsumers();
    private final List<String> ids = new ArrayList<>();
    private final List<String> routes = new ArrayList<>();
    /** Entry routes that may run beside the entry routes of another version. */
    private final List<String> sharedDoors = new ArrayList<>();
    /** Entry routes of which only one version may run, for example a timer. */
    private final List<String> exclusiveDoors = new ArrayList<>();

    private RunningVersion(CamelContext context, FlowVersion version, FlowLoader.Loaded loaded, FlowBeans beansBefore) {
        this.context = context;
        this.version = version;
        this.names = loaded.names();
        this.calls = loaded.calls();
        this.httpDoors = loaded.httpDoors();
        this.tree = loaded.tree();
        this.hasSaga = loaded.hasSaga();
        this.beansBefore = beansBefore;
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
                boolean shared = SHARED.contains(uri.split("[:?]", 2)[0]);
                if (!"false".equals(route.getAutoStartup())) {
                    (shared ? sharedDoors : exclusiveDoors).add(route.getId());
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

    /** Starts the entry routes that may run in several versions. */
    void openSharedDoors() throws Exception {
        open(sharedDoors);
    }

    /** Starts the entry routes that may run in one version only. */
    void openExclusiveDoors() throws Exception {
        open(exclusiveDoors);
    }

    private void open(List<String> doors) throws Exception {
        if (!closing.await(Duration.ofSeconds(CLOSE_SECONDS))) {
            throw new IllegalStateException("consumers of version " + version.version()
                    + " are stopping and wait for a message in its routes; try again when it is through");
        }
        loops.reset();
        for (String id : doors) {
            context.getRouteController().startRoute(id);
            Route route = context.getRoute(id);
            if (route != null) {
                // Closing an entry stops or suspends only the consumer; for Camel the route stays started.
                ServiceHelper.resumeService(route.getConsumer());
                ServiceHelper.startService(route.getConsumer());
            }
        }
    }

    /**
     * Stops the consumers of shared entry routes. Messages in the routes continue. Waits at most
     * {@value #CLOSE_SECONDS} seconds.
     */
    void closeSharedDoors() {
        // Stopping only the consumer lets the route answer all accepted HTTP requests; a suspended route refuses
        // requests.
        closing.close(sharedDoors.stream()
                .map(context::getRoute)
                .filter(Objects::nonNull)
                .map(Route::getConsumer)
                .toList());
        closing.await(Duration.ofSeconds(CLOSE_SECONDS));
    }

    /** Suspends the consumers of exclusive entry routes. Messages in the routes continue. Does not wait. */
    void closeExclusiveDoors() {
        for (String id : exclusiveDoors) {
            Route route = context.getRoute(id);
            if (route != null) {
                // A stopping consumer would also stop the steps and reject the exchanges in the steps.
                ServiceHelper.suspendService(route.getConsumer());
            }
        }
    }

    /**
     * Waits until the exchanges from exclusive entry routes have ended, so that another version does not do the same
     * work concurrently. Ends a looping exchange; a slow exchange continues beside the other version after
     * {@value #DRAIN_SECONDS} seconds.
     */
    void drainExclusiveDoors() throws Exception {
        Duration half = Duration.ofSeconds(DRAIN_SECONDS).dividedBy(2);
        Set<String> doors = Set.copyOf(exclusiveDoors);
        loops.endLoopsFrom(doors, MAX_PASSES_AT_FIRST);
        boolean drained = hasDrained(half);
        if (!drained) {
            loops.endLoopsFrom(doors, LoopGuard.MAX_PASSES);
            drained = hasDrained(half);
        }
        if (drained) {
            for (String id : exclusiveDoors) {
                if (context.getRoute(id) != null) {
                    context.getRouteController().stopRoute(id, DRAIN_SECONDS, TimeUnit.SECONDS);
                }
            }
        } else {
            LOG.atWarn()
                    .addKeyValue("flow", version.flow())
                    .addKeyValue("version", version.version())
                    .log("old version still has exchanges in its routes; the new version starts beside them");
        }
    }

    private boolean hasDrained(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (exclusiveDoors.stream()
                .anyMatch(id -> context.getInflightRepository().size(id) > 0)) {
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(POLL.toMillis());
        }
        return true;
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
                    context.getRouteController().stopRoute(id, DRAIN_SECONDS, TimeUnit.SECONDS);
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
