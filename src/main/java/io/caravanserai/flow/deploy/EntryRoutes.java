package io.caravanserai.flow.deploy;

import io.caravanserai.flow.yaml.FlowVersion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.support.service.ServiceHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The entry routes of one flow version, which consume messages from outside the file. The other routes of the version run
 * before the entry routes open, and after the entry routes close. The caller holds the lock of {@link RunningFlows}.
 */
final class EntryRoutes {
    private static final Logger LOG = LoggerFactory.getLogger(EntryRoutes.class);
    private static final long DRAIN_SECONDS = 20;
    private static final long CLOSE_SECONDS = 2;
    /** Half of the drain time is for loops that end by themselves; an endless loop may run this often. */
    private static final int MAX_PASSES_AT_FIRST = 10_000;

    private static final Duration POLL = Duration.ofMillis(20);
    // Components whose consumers share messages. Two consumers of any other component might process the same message
    // twice.
    private static final Set<String> SHARED =
            Set.of("jms", "activemq", "sjms", "sjms2", "kafka", "platform-http", "rest", "events", "orders");

    private final CamelContext context;
    private final FlowVersion version;
    private final LoopGuard loops;
    private final ClosingConsumers closing = new ClosingConsumers();
    /** Entry routes that may run beside the entry routes of another version. */
    private final List<String> shared = new ArrayList<>();
    /** Entry routes of which only one version may run, for example a timer. */
    private final List<String> exclusive = new ArrayList<>();

    EntryRoutes(CamelContext context, FlowVersion version, LoopGuard loops) {
        this.context = context;
        this.version = version;
        this.loops = loops;
    }

    /**
     * Adds an entry route.
     *
     * @param uri what the route consumes from
     */
    void add(String routeId, String uri) {
        (SHARED.contains(uri.split("[:?]", 2)[0]) ? shared : exclusive).add(routeId);
    }

    /** Starts the entry routes that may run in several versions. */
    void openShared() throws Exception {
        open(shared);
    }

    /** Starts the entry routes that may run in one version only. */
    void openExclusive() throws Exception {
        open(exclusive);
    }

    private void open(List<String> routes) throws Exception {
        if (!closing.await(Duration.ofSeconds(CLOSE_SECONDS))) {
            throw new IllegalStateException("consumers of version " + version.version()
                    + " are stopping and wait for a message in its routes; try again when it is through");
        }
        loops.reset();
        for (String id : routes) {
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
    void closeShared() {
        // Stopping only the consumer lets the route answer all accepted HTTP requests; a suspended route refuses
        // requests.
        closing.close(shared.stream()
                .map(context::getRoute)
                .filter(Objects::nonNull)
                .map(Route::getConsumer)
                .toList());
        closing.await(Duration.ofSeconds(CLOSE_SECONDS));
    }

    /** Suspends the consumers of exclusive entry routes. Messages in the routes continue. Does not wait. */
    void closeExclusive() {
        for (String id : exclusive) {
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
    void drainExclusive() throws Exception {
        Duration half = Duration.ofSeconds(DRAIN_SECONDS).dividedBy(2);
        Set<String> routes = Set.copyOf(exclusive);
        loops.endLoopsFrom(routes, MAX_PASSES_AT_FIRST);
        boolean drained = hasDrained(half);
        if (!drained) {
            loops.endLoopsFrom(routes, LoopGuard.MAX_PASSES);
            drained = hasDrained(half);
        }
        if (drained) {
            for (String id : exclusive) {
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
        while (exclusive.stream().anyMatch(id -> context.getInflightRepository().size(id) > 0)) {
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(POLL.toMillis());
        }
        return true;
    }
}
