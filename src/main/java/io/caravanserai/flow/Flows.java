package io.caravanserai.flow;

import io.caravanserai.flow.check.CheckContext;
import io.caravanserai.flow.check.ExpressionGuard;
import io.caravanserai.flow.check.FlowCheck;
import io.caravanserai.flow.check.PlaceholderGuard;
import io.caravanserai.flow.check.SchemaCheck;
import io.caravanserai.flow.deploy.FlowDeployer;
import io.caravanserai.flow.deploy.FlowFolder;
import io.caravanserai.flow.deploy.FlowStartup;
import io.caravanserai.flow.deploy.FlowState;
import io.caravanserai.flow.deploy.FlowStates;
import io.caravanserai.flow.deploy.FolderSync;
import io.caravanserai.flow.deploy.FolderWatch;
import io.caravanserai.flow.deploy.OrdersCarried;
import io.caravanserai.flow.deploy.Refusals;
import io.caravanserai.flow.deploy.RunningFlows;
import io.caravanserai.flow.deploy.RunningVersion;
import io.caravanserai.flow.deploy.SqlFlowVersions;
import io.caravanserai.flow.deploy.UnknownFlowException;
import io.caravanserai.flow.deploy.VersionSweeper;
import io.caravanserai.flow.dryrun.DryRun;
import io.caravanserai.flow.dryrun.DryRunContext;
import io.caravanserai.flow.dryrun.Trace;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowRefusedException;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import io.caravanserai.store.Store;
import io.caravanserai.support.PeriodicTask;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.camel.CamelContext;

/**
 * The flows of a hub: running versions, entry endpoints for orders, and changes at run time. Thread-safe. Changes hold
 * the lock of {@link RunningFlows}, which describes the guarded state.
 *
 * <p>An order stores the flow version at acceptance. The version keeps running, also after a restart, until the last
 * order in the version has ended.
 */
public final class Flows implements AutoCloseable {
    private static final Duration SWEEP_EVERY = Duration.ofMillis(500);

    private final SqlFlowVersions versions;
    private final OrdersCarried carried;
    private final RunningFlows running;
    private final Refusals refusals;
    private final FlowDeployer deployer;
    private final FlowStartup startup;
    private final FolderSync sync;
    private final VersionSweeper sweeper;
    private final FlowStates states;
    // A second timer: an edit must not wait until the routes of an old version have stopped.
    private final ScheduledExecutorService syncTimer = PeriodicTask.timer("flows");
    private final ScheduledExecutorService sweepTimer = PeriodicTask.timer("flows-sweep");

    /** Loads the schemas for the first check of an edit, which takes a while. An earlier check waits for the load. */
    public static void prepare() {
        SchemaCheck.prepare();
    }

    /**
     * @param folder folder of the flow files; Kamelets are in the sibling folder {@code kamelets}
     * @param carried reports the versions that must run after a restart, and the versions that must not be removed
     */
    public Flows(CamelContext context, Store store, Path folder, Clock clock, OrdersCarried carried) {
        Path kamelets = folder.resolveSibling("kamelets");
        Kamelets.lookIn(context, kamelets);
        PlaceholderGuard.install(context);
        ExpressionGuard.install(context);
        FlowFolder files = new FlowFolder(folder, kamelets);
        FolderWatch watch = new FolderWatch(files, clock);
        this.carried = carried;
        this.versions = new SqlFlowVersions(store, clock);
        this.running = new RunningFlows(context);
        this.refusals = new Refusals(clock);
        this.deployer = new FlowDeployer(running, versions, files, watch, refusals);
        this.startup = new FlowStartup(deployer, running, versions, files, refusals);
        this.sync = new FolderSync(deployer, running, files, watch, refusals);
        this.sweeper = new VersionSweeper(running, carried, clock);
        this.states = new FlowStates(running, refusals);
    }

    /**
     * Starts the newest version of each file and each version with unfinished orders, then watches the folder. Blocks
     * until the versions run. Requires a started context with the Java routes that flows call.
     */
    public void start() {
        synchronized (running) {
            versions.files().join().forEach(file -> running.addKnown(FlowVersion.flowOf(file)));
            sync.start(startup);
            startup.startCarried(carried.unfinished().join());
        }
        every(FolderWatch.EVERY, syncTimer, PeriodicTask.surviving("flows", sync::look));
        every(SWEEP_EVERY, sweepTimer, PeriodicTask.surviving("flows-sweep", sweeper::sweep));
    }

    private static void every(Duration interval, ScheduledExecutorService timer, Runnable task) {
        timer.scheduleWithFixedDelay(task, 0, interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    /**
     * Returns the version that new orders enter; empty for an unknown flow, and for a flow without a route from the name
     * of the flow.
     */
    public Optional<RunningVersion> newest(String flow) {
        return running.newest(flow).filter(each -> each.names().contains("direct:" + flow));
    }

    /** Returns the flows that accept orders now, sorted by name. */
    public List<String> orderFlows() {
        return running.newest().stream()
                .map(each -> each.version().flow())
                .filter(flow -> newest(flow).isPresent())
                .sorted()
                .toList();
    }

    /** Whether the flow exists or has existed. */
    public boolean isKnown(String flow) {
        return running.isKnown(flow) || refusals.contains(FlowVersion.fileOf(flow));
    }

    /**
     * Returns the entry of an order that began in this version. Starts the version if needed, which blocks for some
     * milliseconds.
     *
     * @throws UnknownFlowException when the version does not exist or cannot start any more
     */
    public String endpoint(String flow, int version) {
        if (!running.isRunning(flow, version)) {
            startup.start(flow, version);
        }
        return VersionedEndpoints.versioned(flow, "direct:" + flow, version);
    }

    /** Returns the states of all flows, sorted by file. */
    public CompletableFuture<List<FlowState>> states() {
        return carried.listed().thenApply(states::list);
    }

    /** Returns the faults of a text; empty when the text would be accepted. Changes nothing. Blocks. */
    public List<Fault> check(String file, String text) {
        return FlowCheck.check(file, text, running.around(file));
    }

    /**
     * Writes a file and swaps the flow.
     *
     * @param who the caller, for the record
     * @return the version that now runs; the running version when the text is equal
     * @throws FlowRefusedException when the text has faults; nothing has changed then
     * @throws UncheckedIOException when the file cannot be written; nothing has changed then
     */
    public FlowVersion put(String file, String text, String who) throws FlowRefusedException {
        return deployer.deploy(file, text, who, true);
    }

    /**
     * Like {@link #put}, on condition that the running version is as expected.
     *
     * @param expected tests the running version, if any, once earlier edits have ended
     * @return empty when the test fails; nothing has changed then
     */
    public Optional<FlowVersion> putIf(Predicate<Optional<FlowVersion>> expected, String file, String text, String who)
            throws FlowRefusedException {
        synchronized (running) {
            return expected.test(running(file)) ? Optional.of(put(file, text, who)) : Optional.empty();
        }
    }

    /**
     * Deletes a file. The flow accepts no new orders, and the orders in the flow end in their versions.
     *
     * @param expected tests the running version, if any, once earlier edits have ended
     * @return false when the test fails; nothing has changed then
     * @throws UnknownFlowException when neither the file nor the flow exists
     * @throws FlowRefusedException while another flow calls this flow; nothing has changed then
     * @throws UncheckedIOException when the file cannot be deleted; nothing has changed then
     */
    public boolean delete(Predicate<Optional<FlowVersion>> expected, String file, String who)
            throws FlowRefusedException {
        return deployer.delete(expected, file, who);
    }

    /**
     * Makes the text of an earlier version, including the Kamelets of the version, the newest again. The files of
     * Kamelets stay unchanged, because other flows may use the Kamelets.
     *
     * @param version null for the version before the newest
     * @throws UnknownFlowException when the version does not exist
     * @throws FlowRefusedException when the text has faults now
     */
    public FlowVersion rollback(String file, Integer version, String who) throws FlowRefusedException {
        return deployer.rollback(file, version, who);
    }

    /**
     * Runs past orders through a text, and through the running version for comparison. Touches nothing outside the dry
     * run. Blocks.
     *
     * @throws FlowRefusedException when the text has faults, or no entry for orders
     */
    public DryRun.Report dryRun(String file, String text, List<DryRun.Sample> samples, DryRun services)
            throws FlowRefusedException, InterruptedException {
        List<Fault> faults = check(file, text);
        if (!faults.isEmpty()) {
            throw new FlowRefusedException(faults);
        }
        CheckContext around = running.around(file);
        Optional<FlowVersion> before = running(file);
        List<Trace> after = DryRunContext.traces(FlowDeployer.candidate(file, text, around), around, samples, services);
        return DryRun.Report.of(
                samples,
                before.isPresent() ? DryRunContext.traces(before.get(), around, samples, services) : List.of(),
                after);
    }

    /** Returns all accepted versions of a file, newest first. */
    public CompletableFuture<List<FlowVersion>> versions(String file) {
        return versions.list(file);
    }

    /** Returns a version of a file; empty for an unknown version. */
    public CompletableFuture<Optional<FlowVersion>> version(String file, int version) {
        return versions.one(file, version);
    }

    /** Returns the version for new orders; empty for an unknown flow. */
    public Optional<FlowVersion> running(String file) {
        return running.newestOf(file);
    }

    /**
     * Whether a JMS queue belongs to one flow version, for example {@code order-queue.orders@7}, and ends with the
     * version.
     */
    public static boolean isQueueOfVersion(String queue) {
        return VersionedEndpoints.isQueueOfVersion(queue);
    }

    /**
     * Stops watching the folder; the routes stop with the context. Ends looping exchanges first: when Camel stops the
     * routes by force, a looping exchange would fail and be logged at each turn.
     */
    @Override
    public void close() {
        running.endLoops();
        syncTimer.shutdownNow();
        sweepTimer.shutdownNow();
        try {
            syncTimer.awaitTermination(5, TimeUnit.SECONDS);
            sweepTimer.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
