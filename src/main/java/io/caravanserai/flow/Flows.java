package io.caravanserai.flow;

import io.caravanserai.flow.check.CheckContext;
import io.caravanserai.flow.check.ErrorLocator;
import io.caravanserai.flow.check.ExpressionGuard;
import io.caravanserai.flow.check.FlowCheck;
import io.caravanserai.flow.check.PlaceholderGuard;
import io.caravanserai.flow.check.SchemaCheck;
import io.caravanserai.flow.deploy.FlowFolder;
import io.caravanserai.flow.deploy.FlowState;
import io.caravanserai.flow.deploy.FolderWatch;
import io.caravanserai.flow.deploy.MutuallyDependentFlows;
import io.caravanserai.flow.deploy.Refusal;
import io.caravanserai.flow.deploy.RunningFlows;
import io.caravanserai.flow.deploy.RunningVersion;
import io.caravanserai.flow.deploy.SqlFlowVersions;
import io.caravanserai.flow.dryrun.DryRun;
import io.caravanserai.flow.dryrun.DryRunContext;
import io.caravanserai.flow.dryrun.Trace;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowText;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import io.caravanserai.store.Store;
import io.caravanserai.support.PeriodicTask;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * The flows of a hub: running versions, entry endpoints for orders, and changes at run time. Thread-safe.
 * <p>An order stores the flow version at acceptance. The version keeps running, also after a restart, until the last
 * order in the version has ended.
 */
public final class Flows implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Flows.class);
    private static final String BY_FOLDER = "folder";
    private static final Duration SWEEP_EVERY = Duration.ofMillis(500);
    /** After this time all orders accepted in a version are in the store and counted. */
    private static final Duration GRACE = Duration.ofSeconds(5);

    /** How long an exchange without an order may loop in a superseded version. */
    private static final Duration MAX_LOOPING = Duration.ofSeconds(15);

    private final Clock clock;
    private final SqlFlowVersions versions;
    private final OrdersCarried carried;
    private final FlowFolder folder;
    private final RunningFlows flows;
    private final FolderWatch watch;
    private final Map<String, Refusal> refusals = new ConcurrentHashMap<>();
    /** Flows that have had a version. */
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    private final Map<RunningVersion, Instant> supersededSince = new HashMap<>();
    /** Whether a refused file may be valid now, because a missing dependency may exist. */
    private volatile boolean somethingNew;
    /** Files that depend on each other, are valid together, but did not start. */
    private MutuallyDependentFlows failedRing = MutuallyDependentFlows.NONE;
    // A second timer: an edit must not wait until the routes of an old version have stopped.
    private final ScheduledExecutorService timer = PeriodicTask.timer("flows");
    private final ScheduledExecutorService sweeper = PeriodicTask.timer("flows-sweep");

    /** Loads the schemas for the first check of an edit, which takes a while. An earlier check waits for the load. */
    public static void prepare() {
        SchemaCheck.prepare();
    }

    /**
     * @param folder folder of the flow files; Kamelets are in the sibling folder {@code kamelets}
     * @param carried reports the versions that must run after a restart, and the versions that must not be removed
     */
    public Flows(CamelContext context, Store store, Path folder, Clock clock, OrdersCarried carried) {
        this.clock = clock;
        this.versions = new SqlFlowVersions(store);
        this.carried = carried;
        Path kamelets = folder.resolveSibling("kamelets");
        this.folder = new FlowFolder(folder, kamelets);
        Kamelets.lookIn(context, kamelets);
        PlaceholderGuard.install(context);
        ExpressionGuard.install(context);
        this.flows = new RunningFlows(context);
        this.watch = new FolderWatch(this.folder, clock, new FolderWatch.Handler() {
            @Override
            public boolean changed(String file, boolean hasRestedLong) {
                return isKamelet(file) ? kameletChanged(file, hasRestedLong) : Flows.this.changed(file, hasRestedLong);
            }

            @Override
            public void deleted(String file) {
                if (isKamelet(file)) {
                    retake(file);
                } else {
                    Flows.this.deleted(file);
                }
            }
        });
    }

    /**
     * Starts the newest version of each file and each version with unfinished orders, then watches the folder. Blocks
     * until the versions run. Requires a started context with the Java routes that flows call.
     */
    public synchronized void start() {
        versions.files().join().forEach(file -> known.add(FlowVersion.flowOf(file)));
        Map<String, FlowFolder.Stamp> files = folder.files();
        watch.remember(files);
        files.keySet().stream().filter(file -> !isKamelet(file)).forEach(this::startFile);
        while (somethingNew) {
            retryRefused();
        }
        for (OrdersCarried.Carried each : carried.unfinished().join()) {
            if (each.orders() == 0 && !wasAccepted(each)) {
                continue;
            }
            try {
                revive(each.flow(), each.version());
            } catch (UnknownFlowException e) {
                LOG.atError()
                        .addKeyValue("flow", each.flow())
                        .addKeyValue("version", each.version())
                        .addKeyValue("orders", each.orders())
                        .setCause(e)
                        .log("orders wait for a version that cannot run");
            }
        }
        timer.scheduleWithFixedDelay(
                PeriodicTask.surviving("flows", this::look), 0, FolderWatch.EVERY.toMillis(), TimeUnit.MILLISECONDS);
        sweeper.scheduleWithFixedDelay(
                PeriodicTask.surviving("flows-sweep", this::sweep), 0, SWEEP_EVERY.toMillis(), TimeUnit.MILLISECONDS);
    }

    private boolean wasAccepted(OrdersCarried.Carried version) {
        return versions.one(FlowVersion.fileOf(version.flow()), version.version())
                .join()
                .isPresent();
    }

    /**
     * Returns the entry of new orders into a flow; empty for an unknown flow, and for a flow without a route from the
     * name of the flow.
     */
    public Optional<Entrance> newest(String flow) {
        String name = "direct:" + flow;
        return flows.newest(flow)
                .filter(each -> each.names().contains(name))
                .map(each -> new Entrance(
                        flow,
                        each.version().version(),
                        each.hasSaga(),
                        VersionedEndpoints.versioned(flow, name, each.version().version())));
    }

    /** Returns the flows that accept orders now, sorted by name. */
    public List<String> entrances() {
        return flows.newest().stream()
                .map(each -> each.version().flow())
                .filter(flow -> newest(flow).isPresent())
                .sorted()
                .toList();
    }

    /** Whether the flow exists or has existed. */
    public boolean isKnown(String flow) {
        return known.contains(flow) || refusals.containsKey(FlowVersion.fileOf(flow));
    }

    /**
     * Returns the entry of an order that began in this version. Starts the version if needed, which blocks for some
     * milliseconds.
     * @throws UnknownFlowException when the version does not exist or cannot start any more
     */
    public String endpoint(String flow, int version) {
        if (!flows.isRunning(flow, version)) {
            revive(flow, version);
        }
        return VersionedEndpoints.versioned(flow, "direct:" + flow, version);
    }

    /** Returns the states of all flows, sorted by file. */
    public CompletableFuture<List<FlowState>> states() {
        return carried.listed().thenApply(this::states);
    }

    /** Returns the faults of a text; empty when the text would be accepted. Changes nothing. Blocks. */
    public List<Fault> check(String file, String text) {
        return check(file, text, around(file), FlowCheck::check);
    }

    private interface Check {
        List<Fault> faults(String file, String text, CheckContext around);
    }

    private List<Fault> check(String file, String text, CheckContext around, Check check) {
        List<Fault> faults = new ArrayList<>(check.faults(file, text, around));
        if (faults.isEmpty()) {
            faults.addAll(stillNeeded(file, text, around));
        }
        return faults;
    }

    /**
     * Writes a file and swaps the flow.
     * @param who the caller, for the record
     * @return the version that now runs; the running version when the text is equal
     * @throws FlowRefusedException when the text has faults; nothing has changed then
     * @throws UncheckedIOException when the file cannot be written; nothing has changed then
     */
    public FlowVersion put(String file, String text, String who) throws FlowRefusedException {
        return swap(file, text, who, true);
    }

    /**
     * Like {@link #put}, on condition that the running version is as expected.
     * @param expected tests the running version, if any, once earlier edits have ended
     * @return empty when the test fails; nothing has changed then
     */
    public synchronized Optional<FlowVersion> putIf(
            Predicate<Optional<FlowVersion>> expected, String file, String text, String who)
            throws FlowRefusedException {
        return expected.test(running(file)) ? Optional.of(put(file, text, who)) : Optional.empty();
    }

    /**
     * Deletes a file. The flow accepts no new orders, and the orders in the flow end in their versions.
     * @param expected tests the running version, if any, once earlier edits have ended
     * @return false when the test fails; nothing has changed then
     * @throws UnknownFlowException when neither the file nor the flow exists
     * @throws FlowRefusedException while another flow calls this flow; nothing has changed then
     * @throws UncheckedIOException when the file cannot be deleted; nothing has changed then
     */
    public synchronized boolean delete(Predicate<Optional<FlowVersion>> expected, String file, String who)
            throws FlowRefusedException {
        if (running(file).isEmpty() && !folder.exists(file)) {
            throw new UnknownFlowException("there is no flow " + file);
        }
        if (!expected.test(running(file))) {
            return false;
        }
        List<Fault> needed = flows.around(file).needed().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(need -> Fault.atStart(
                        file,
                        need.getValue() + " calls '" + need.getKey() + "' of this flow: delete or change that first"))
                .toList();
        if (!needed.isEmpty()) {
            throw new FlowRefusedException(needed);
        }
        try {
            folder.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException("the folder of flows (hub.routes.dir) cannot be written: " + e, e);
        }
        LOG.atInfo().addKeyValue("file", file).addKeyValue("who", who).log("flow deleted");
        refusals.remove(file);
        retire(file);
        return true;
    }

    /**
     * Makes the text of an earlier version, including the Kamelets of the version, the newest again. The files of
     * Kamelets stay unchanged, because other flows may use the Kamelets.
     * @param version null for the version before the newest
     * @throws UnknownFlowException when the version does not exist
     * @throws FlowRefusedException when the text has faults now
     */
    public FlowVersion rollback(String file, Integer version, String who) throws FlowRefusedException {
        int number = version == null ? before(file) : version;
        FlowVersion earlier = versions.one(file, number)
                .join()
                .orElseThrow(() -> new UnknownFlowException(file + " has no version " + number));
        return rollback(earlier, who);
    }

    /**
     * Runs past orders through a text, and through the running version for comparison. Touches nothing outside the dry
     * run. Blocks.
     * @throws FlowRefusedException when the text has faults, or no entry for orders
     */
    public DryRun.Report rehearse(String file, String text, List<DryRun.Sample> samples, DryRun rehearsal)
            throws FlowRefusedException, InterruptedException {
        List<Fault> faults = check(file, text);
        if (!faults.isEmpty()) {
            throw new FlowRefusedException(faults);
        }
        Optional<FlowVersion> running = running(file);
        List<Trace> after = courses(candidate(file, text, around(file)), samples, rehearsal);
        List<Trace> before = running.isPresent() ? courses(running.get(), samples, rehearsal) : List.of();
        List<DryRun.Comparison> orders = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            orders.add(new DryRun.Comparison(
                    samples.get(i).orderId(), before.isEmpty() ? null : before.get(i), after.get(i)));
        }
        return new DryRun.Report(orders);
    }

    private List<Trace> courses(FlowVersion version, List<DryRun.Sample> samples, DryRun rehearsal)
            throws FlowRefusedException, InterruptedException {
        String entry = "direct:" + version.flow();
        Node root = Nodes.parse(version.file(), version.text()).orElseThrow();
        if (!samples.isEmpty() && !VersionedEndpoints.of(version.flow(), root).contains(entry)) {
            throw new FlowRefusedException(
                    List.of(Fault.atStart(version.file(), "no orders enter it: no route begins with '" + entry + "'")));
        }
        try (DryRunContext stage = new DryRunContext(version, around(version.file()), rehearsal)) {
            List<Trace> courses = new ArrayList<>();
            for (DryRun.Sample sample : samples) {
                courses.add(stage.play(sample));
            }
            return courses;
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw new FlowRefusedException(List.of(ErrorLocator.of(version.file(), root, e, flows.context())));
        }
    }

    private synchronized FlowVersion rollback(FlowVersion earlier, String who) throws FlowRefusedException {
        String file = earlier.file();
        CheckContext around = flows.around(file);
        String folderHash = candidate(file, earlier.text(), around).hash();
        CheckContext then = around.with(Kamelets.of(flows.context(), earlier.kamelets()));
        FlowVersion candidate = candidate(file, earlier.text(), then);
        Optional<FlowVersion> running = running(file).filter(each -> each.hash().equals(candidate.hash()));
        if (running.isPresent()) {
            write(file, earlier.text());
            return kept(running.get());
        }
        return swap(candidate, folderHash, then, who, true);
    }

    private int before(String file) {
        List<FlowVersion> all = versions.all(file).join();
        if (all.size() < 2) {
            throw new UnknownFlowException(file + " has no version before its newest");
        }
        return all.get(1).version();
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
        return flows.newest(FlowVersion.flowOf(file)).map(RunningVersion::version);
    }

    /**
     * Whether a JMS queue belongs to one flow version, for example {@code order-queue.orders@7}, and ends with the
     * version.
     */
    public static boolean isQueueOfVersion(String queue) {
        return VersionedEndpoints.isQueueOfVersion(queue);
    }

    /** Whether a text is a valid name of a flow file. */
    public static boolean isFileName(String file) {
        return file.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
                && file.endsWith(FlowVersion.ENDING)
                && file.length() > FlowVersion.ENDING.length();
    }

    /**
     * Stops watching the folder; the routes stop with the context. Ends looping exchanges first: when Camel stops the
     * routes by force, a looping exchange would fail and be logged at each turn.
     */
    @Override
    public void close() {
        flows.all().forEach(RunningVersion::endLoops);
        timer.shutdownNow();
        sweeper.shutdownNow();
        try {
            timer.awaitTermination(5, TimeUnit.SECONDS);
            sweeper.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized FlowVersion swap(String file, String text, String who, boolean write)
            throws FlowRefusedException {
        CheckContext around = flows.around(file);
        FlowVersion candidate = candidate(file, text, around);
        Optional<FlowVersion> running =
                running(file).filter(each -> each.folderHash().equals(candidate.hash()));
        if (running.isPresent()) {
            if (write) {
                write(file, text);
            }
            return kept(running.get());
        }
        return swap(candidate, candidate.hash(), around, who, write);
    }

    private FlowVersion kept(FlowVersion running) {
        refusals.remove(running.file());
        return running;
    }

    private static FlowVersion candidate(String file, String text, CheckContext around) {
        return FlowVersion.candidate(file, text, around.kamelets().neededBy(file, text));
    }

    private FlowVersion swap(FlowVersion candidate, String folderHash, CheckContext around, String who, boolean write)
            throws FlowRefusedException {
        String file = candidate.file();
        String text = candidate.text();
        List<Fault> faults =
                check(file, text, around, isShipped(file, text) ? FlowCheck::checkAround : FlowCheck::check);
        if (!faults.isEmpty()) {
            throw new FlowRefusedException(faults);
        }
        SqlFlowVersions.Accepted recorded =
                versions.accept(candidate, folderHash, who, clock.instant()).join();
        FlowVersion accepted = recorded.version();
        boolean ran = flows.isRunning(accepted.flow(), accepted.version());
        RunningVersion added = null;
        Optional<FlowFolder.Kept> written = Optional.empty();
        try {
            added = flows.add(accepted);
            if (write) {
                written = Optional.of(write(file, text));
            }
            flows.promote(added);
        } catch (Exception e) {
            written.ifPresent(FlowFolder.Kept::restore);
            if (added != null && !ran) {
                flows.remove(added);
                added.restoreBeans();
            }
            if (recorded.isNew()) {
                versions.withdraw(accepted).join();
            }
            if (e instanceof UncheckedIOException) {
                throw (UncheckedIOException) e;
            }
            throw new FlowRefusedException(
                    List.of(ErrorLocator.of(file, Nodes.parse(file, text).orElseThrow(), e, flows.context())));
        }
        refusals.remove(file);
        known.add(accepted.flow());
        somethingNew = true;
        LOG.atInfo()
                .addKeyValue("file", file)
                .addKeyValue("version", accepted.version())
                .addKeyValue("who", who)
                .log("flow runs");
        return accepted;
    }

    /**
     * Whether the text is part of the hub, and so was tested in the build. Skipping the full check shortens the first
     * start.
     */
    private static boolean isShipped(String file, String text) {
        if (!isFileName(file)) {
            return false;
        }
        try (InputStream in = Flows.class.getResourceAsStream("/routes/" + file)) {
            return in != null && text.equals(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            return false;
        }
    }

    private synchronized CheckContext around(String file) {
        return flows.around(file);
    }

    private FlowFolder.Kept write(String file, String text) {
        try {
            FlowFolder.Kept before = folder.keep(file);
            folder.write(file, text);
            watch.expect(file);
            return before;
        } catch (IOException e) {
            throw new UncheckedIOException("the folder of flows (hub.routes.dir) cannot be written: " + e, e);
        }
    }

    private static String reason(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }

    private List<Fault> stillNeeded(String file, String text, CheckContext around) {
        if (around.needed().isEmpty()) {
            return List.of();
        }
        VersionedEndpoints names = VersionedEndpoints.of(
                FlowVersion.flowOf(file), Nodes.parse(file, text).orElseThrow());
        return around.needed().entrySet().stream()
                .filter(need -> !names.contains(need.getKey()))
                .map(need -> Fault.atStart(
                        file,
                        "nothing answers at '" + need.getKey() + "' any more, which " + need.getValue() + " calls"))
                .toList();
    }

    /** A version that ran before a restart runs again, even if the text would fail a check today. */
    private void startFile(String file) {
        try {
            String text = FlowText.decode(folder.read(file));
            Optional<FlowVersion> last = versions.newest(file).join();
            CheckContext around = flows.around(file);
            FlowVersion candidate = candidate(file, text, around);
            if (last.isPresent() && last.get().folderHash().equals(candidate.hash())) {
                flows.promote(flows.add(last.get()));
                return;
            }
            try {
                swap(candidate, candidate.hash(), around, BY_FOLDER, false);
            } catch (FlowRefusedException e) {
                refuse(file, e.faults());
                startNewestThatCan(file);
            }
        } catch (Exception e) {
            refuse(file, List.of(Fault.atStart(file, "does not start: " + reason(e))));
            startNewestThatCan(file);
        }
    }

    /** Starts the last version, or the newest version that can start, because the file in the folder cannot start. */
    private void startNewestThatCan(String file) {
        for (FlowVersion version : versions.all(file).join()) {
            RunningVersion added = null;
            try {
                added = flows.add(version);
                flows.promote(added);
                return;
            } catch (Exception e) {
                if (added != null) {
                    flows.remove(added);
                    added.restoreBeans();
                }
                LOG.atWarn()
                        .addKeyValue("file", file)
                        .addKeyValue("version", version.version())
                        .addKeyValue("error", reason(e))
                        .log("version of a flow cannot start; trying the one before it");
            }
        }
    }

    private synchronized void revive(String flow, int version) {
        if (flows.isRunning(flow, version)) {
            return;
        }
        FlowVersion stored = versions.one(FlowVersion.fileOf(flow), version)
                .join()
                .orElseThrow(() -> new UnknownFlowException("the flow " + flow + " has no version " + version));
        try {
            flows.add(stored);
        } catch (Exception e) {
            UnknownFlowException unknown = new UnknownFlowException(
                    "version " + version + " of the flow " + flow + " cannot start: " + reason(e));
            unknown.initCause(e);
            throw unknown;
        }
    }

    private static boolean isKamelet(String file) {
        return file.endsWith(Kamelets.ENDING);
    }

    private void look() {
        watch.look();
        if (somethingNew) {
            retryRefused();
        }
    }

    /** Files that depend on each other may be saved in any order. */
    private void retryRefused() {
        somethingNew = false;
        for (String file : new TreeSet<>(refusals.keySet())) {
            if (watch.isGone(file)) {
                deleted(file);
            } else if (!watch.changing().contains(file)) {
                changed(file, true);
            }
        }
        acceptRing();
    }

    /** Accepts new files that call each other together, or none. */
    private synchronized void acceptRing() {
        MutuallyDependentFlows ring = MutuallyDependentFlows.of(newAndRefused(), flows::around);
        if (ring.equals(failedRing)) {
            return;
        }
        try {
            for (Map.Entry<String, String> each : ring.texts().entrySet()) {
                CheckContext around = ring.around(each.getKey(), flows.around(each.getKey()));
                FlowVersion candidate = candidate(each.getKey(), each.getValue(), around);
                swap(candidate, candidate.hash(), around, BY_FOLDER, false);
            }
        } catch (FlowRefusedException | RuntimeException e) {
            failedRing = ring;
            ring.texts().keySet().stream()
                    .filter(file -> running(file).isPresent())
                    .forEach(this::retire);
            ring.texts()
                    .keySet()
                    .forEach(file -> refuse(
                            file,
                            e instanceof FlowRefusedException refused
                                    ? refused.faults()
                                    : List.of(Fault.atStart(file, "does not start: " + reason(e)))));
        }
    }

    private Map<String, String> newAndRefused() {
        Map<String, String> texts = new TreeMap<>();
        for (String file : refusals.keySet()) {
            try {
                if (isFileName(file) && running(file).isEmpty()) {
                    texts.put(file, FlowText.decode(folder.read(file)));
                }
            } catch (IOException e) {
                // The file stays refused for this reason.
            }
        }
        return texts.size() < 2 ? Map.of() : texts;
    }

    private boolean kameletChanged(String file, boolean hasRestedLong) {
        try {
            String text = FlowText.decode(folder.read(file));
            String name = nameOf(file);
            boolean cut = flows.newest().stream()
                    .anyMatch(flow -> isCut(text, flow.version().kamelets().getOrDefault(name, "")));
            if (!hasRestedLong && (cut || !text.endsWith("\n"))) {
                return false;
            }
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            // The check of each flow that uses the Kamelet reports the fault.
        }
        retake(file);
        return true;
    }

    /** Checks the flows that use a changed Kamelet, because each is a new version now. */
    private void retake(String file) {
        String name = nameOf(file);
        flows.newest().stream()
                .map(RunningVersion::version)
                .filter(flow -> flow.kamelets().containsKey(name))
                .filter(flow -> !watch.changing().contains(flow.file()))
                .forEach(flow -> changed(flow.file(), true));
        somethingNew = true;
    }

    private static String nameOf(String kameletFile) {
        return kameletFile.substring(0, kameletFile.length() - Kamelets.ENDING.length());
    }

    /** Reads under the lock, so that no text read before a rollback is swapped in after the rollback. */
    private synchronized boolean changed(String file, boolean hasRestedLong) {
        try {
            String text = FlowText.decode(folder.read(file));
            // The flow may use the Kamelet that is being written.
            if (!hasRestedLong
                    && (looksHalfWritten(file, text)
                            || watch.changing().stream().anyMatch(Flows::isKamelet))) {
                return false;
            }
            if (!isFileName(file)) {
                refuse(file, List.of(Fault.atStart(file, "a flow file's name is made of letters, digits, . _ and -")));
                return true;
            }
            swap(file, text, BY_FOLDER, false);
        } catch (NoSuchFileException e) {
            return false;
        } catch (CharacterCodingException e) {
            refuse(file, List.of(Fault.atStart(file, "not UTF-8 text")));
        } catch (FlowRefusedException e) {
            refuse(file, e.faults());
        } catch (IOException | RuntimeException e) {
            refuse(file, List.of(Fault.atStart(file, "cannot be read: " + reason(e))));
        }
        return true;
    }

    private boolean looksHalfWritten(String file, String text) {
        boolean cut = flows.newest(FlowVersion.flowOf(file))
                .filter(running -> isCut(text, running.version().text()))
                .isPresent();
        return cut || !text.endsWith("\n");
    }

    private static boolean isCut(String text, String before) {
        return before.length() > text.length() && before.startsWith(text);
    }

    private synchronized void deleted(String file) {
        refusals.remove(file);
        Map<String, String> needed = flows.around(file).needed();
        if (!needed.isEmpty()) {
            String name = new TreeSet<>(needed.keySet()).first();
            refuse(
                    file,
                    List.of(Fault.atStart(
                            file,
                            "the file is gone, but " + needed.get(name) + " calls '" + name
                                    + "': it goes on running")));
            return;
        }
        retire(file);
    }

    private void retire(String file) {
        if (running(file).isEmpty()) {
            return;
        }
        try {
            flows.retire(FlowVersion.flowOf(file));
            somethingNew = true;
            LOG.atInfo().addKeyValue("file", file).log("flow ends; orders in it end under it");
        } catch (Exception e) {
            LOG.atWarn().addKeyValue("file", file).setCause(e).log("flow ends, but a route did not stop");
        }
    }

    private void refuse(String file, List<Fault> faults) {
        Refusal before = refusals.get(file);
        if (before != null && before.errors().equals(faults)) {
            return;
        }
        refusals.put(file, new Refusal(clock.instant(), faults));
        somethingNew |= refusals.size() > 1;
        faults.forEach(fault -> LOG.atError()
                .addKeyValue("file", file)
                .addKeyValue("fault", fault)
                .log("flow refused"));
    }

    /** Removes superseded versions without orders. */
    private void sweep() {
        Instant now = clock.instant();
        List<RunningVersion> candidates;
        synchronized (this) {
            List<RunningVersion> superseded = flows.superseded();
            supersededSince.keySet().retainAll(superseded);
            superseded.forEach(version -> supersededSince.putIfAbsent(version, now));
            candidates = superseded.stream()
                    .filter(version -> hasLasted(version, GRACE, now))
                    .filter(version -> version.inFlight() == 0 || hasLasted(version, MAX_LOOPING, now))
                    .toList();
        }
        if (candidates.isEmpty()) {
            return;
        }
        Map<RunningFlows.Key, Long> orders = orders(carried.unfinished().join());
        List<RunningVersion> ended;
        synchronized (this) {
            List<RunningVersion> withoutOrders = candidates.stream()
                    .filter(version -> flows.superseded().contains(version))
                    .filter(version -> !orders.containsKey(RunningFlows.Key.of(version.version())))
                    .toList();
            withoutOrders.stream().filter(version -> version.inFlight() > 0).forEach(RunningVersion::endLoops);
            ended = withoutOrders.stream()
                    .filter(version -> version.inFlight() == 0)
                    .toList();
            ended.forEach(flows::takeOut);
        }
        ended.forEach(flows::end);
    }

    private boolean hasLasted(RunningVersion superseded, Duration time, Instant now) {
        return !supersededSince.get(superseded).plus(time).isAfter(now);
    }

    private static Map<RunningFlows.Key, Long> orders(List<OrdersCarried.Carried> unfinished) {
        return unfinished.stream()
                .collect(Collectors.toMap(
                        each -> new RunningFlows.Key(each.flow(), each.version()),
                        OrdersCarried.Carried::orders,
                        Long::sum));
    }

    private List<FlowState> states(List<OrdersCarried.Carried> unfinished) {
        Map<RunningFlows.Key, Long> orders = orders(unfinished);
        Map<String, List<RunningVersion>> byFile = flows.all().stream()
                .collect(Collectors.groupingBy(version -> version.version().file()));
        TreeSet<String> files = new TreeSet<>(byFile.keySet());
        files.addAll(refusals.keySet());
        List<FlowState> states = new ArrayList<>();
        for (String file : files) {
            String flow = FlowVersion.flowOf(file);
            Optional<RunningVersion> newest = flows.newest(flow);
            List<FlowState.Running> running = byFile.getOrDefault(file, List.of()).stream()
                    .sorted(Comparator.comparing(each -> -each.version().version()))
                    .map(each -> new FlowState.Running(
                            each.version().version(),
                            each.version().hash(),
                            each.version().at(),
                            each.version().who(),
                            newest.filter(there -> there == each).isPresent(),
                            orders.getOrDefault(RunningFlows.Key.of(each.version()), 0L),
                            each.inFlight()))
                    .toList();
            states.add(new FlowState(
                    file,
                    flow,
                    newest.map(each -> each.version().version()).orElse(null),
                    running,
                    refusals.get(file)));
        }
        return states;
    }
}
