package io.caravanserai.flow.deploy;

import io.caravanserai.flow.check.CheckContext;
import io.caravanserai.flow.check.HttpIngress;
import io.caravanserai.flow.yaml.FlowAlias;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * The versions with routes in the context, and the newest version of each flow. Reading is thread-safe.
 *
 * <p>The monitor of this object is the one lock of the deployment of flows. The lock guards the set of running versions,
 * the newest version of each flow, the names that lead to the newest versions, and the flow files that the hub writes. A
 * caller that reads this state and then changes the state holds the lock for both. A text is therefore promoted beside
 * the same flows that the check of the text has seen, and edits over HTTP, changes in the folder and starts of old
 * versions exclude each other. Callers hold the lock while the routes of a version start, and while {@link #promote}
 * drains the exclusive entry routes of the version before. No caller holds the lock while the routes of a superseded version
 * stop, which takes up to 20 s for each route: see {@link #takeOut} and {@link #end}.
 */
public final class RunningFlows {
    private static final Logger LOG = LoggerFactory.getLogger(RunningFlows.class);

    private final CamelContext context;
    private final Map<Key, RunningVersion> running = new ConcurrentHashMap<>();
    private final Map<String, RunningVersion> newest = new ConcurrentHashMap<>();
    private final Map<String, FlowAlias> stableNames = new HashMap<>();
    /** Flows that run or have run. */
    private final Set<String> known = ConcurrentHashMap.newKeySet();
    /** Versions with routes that are being stopped. */
    private final Map<Key, CompletableFuture<Void>> leaving = new ConcurrentHashMap<>();

    public record Key(String flow, int version) {
        public static Key of(FlowVersion version) {
            return new Key(version.flow(), version.version());
        }
    }

    public RunningFlows(CamelContext context) {
        this.context = context;
    }

    public CamelContext context() {
        return context;
    }

    public Optional<RunningVersion> newest(String flow) {
        return Optional.ofNullable(newest.get(flow));
    }

    /** Returns the newest version of the flow of a file; empty when the flow does not run. */
    public Optional<FlowVersion> newestOf(String file) {
        return newest(FlowVersion.flowOf(file)).map(RunningVersion::version);
    }

    /** Returns the newest version of each flow. */
    public List<RunningVersion> newest() {
        return List.copyOf(newest.values());
    }

    public boolean isRunning(String flow, int version) {
        return running.containsKey(new Key(flow, version));
    }

    /** Whether the flow runs or has run. */
    public boolean isKnown(String flow) {
        return known.contains(flow);
    }

    /** Adds a flow that ran before a restart. */
    public void addKnown(String flow) {
        known.add(flow);
    }

    public Collection<RunningVersion> all() {
        return List.copyOf(running.values());
    }

    /** Returns the versions that run only for unfinished orders. */
    public List<RunningVersion> superseded() {
        return running.values().stream()
                .filter(version -> newest.get(version.version().flow()) != version)
                .toList();
    }

    /** Adds a version. The version consumes no outside messages yet. */
    synchronized RunningVersion add(FlowVersion version) throws Exception {
        RunningVersion added = running.get(Key.of(version));
        if (added == null) {
            CompletableFuture<Void> end = leaving.get(Key.of(version));
            if (end != null) {
                end.join();
            }
            added = RunningVersion.start(context, version);
            running.put(Key.of(version), added);
        }
        return added;
    }

    /**
     * Makes a version the newest, so that the next outside message goes to the version.
     * @throws Exception when the consumers cannot start; the state is then unchanged
     */
    synchronized void promote(RunningVersion version) throws Exception {
        String flow = version.version().flow();
        RunningVersion before = newest.get(flow);
        try {
            version.entryRoutes().openShared();
            if (before != null && before != version) {
                before.entryRoutes().closeExclusive();
                before.entryRoutes().drainExclusive();
            }
            version.entryRoutes().openExclusive();
        } catch (Exception e) {
            version.entryRoutes().closeShared();
            version.entryRoutes().closeExclusive();
            if (before != null && before != version) {
                before.entryRoutes().openExclusive();
            }
            throw e;
        }
        for (String name : version.names().names()) {
            if (!name.startsWith("jms:")) {
                stableNames
                        .computeIfAbsent(name, each -> new FlowAlias(context, each))
                        .pointAt(version.version());
            }
        }
        newest.put(flow, version);
        known.add(flow);
        if (before != null && before != version) {
            forgetNames(before, version.names().names());
            before.entryRoutes().closeShared();
        }
    }

    /** Stops the intake of the flow; the versions stay for unfinished orders. */
    synchronized void retire(String flow) throws Exception {
        RunningVersion last = newest.remove(flow);
        if (last != null) {
            forgetNames(last, Set.of());
            last.entryRoutes().closeShared();
            last.entryRoutes().closeExclusive();
        }
    }

    /** Removes a version that was added and could not be promoted. The routes are empty, and stop at once. */
    synchronized void removeFailed(RunningVersion version) {
        takeOut(version);
        end(version);
        version.restoreBeans();
    }

    /** Removes a version from the running versions; call {@link #end} afterwards. */
    synchronized void takeOut(RunningVersion version) {
        Key key = Key.of(version.version());
        leaving.put(key, new CompletableFuture<>());
        running.remove(key);
    }

    /** Ends each exchange that loops endlessly, in all versions. Other exchanges continue. */
    public void endLoops() {
        all().forEach(RunningVersion::endLoops);
    }

    /** Stops the routes of a removed version. May take seconds; not called under the lock. */
    void end(RunningVersion version) {
        try {
            version.remove();
        } finally {
            leaving.remove(Key.of(version.version())).complete(null);
        }
        LOG.atInfo()
                .addKeyValue("flow", version.version().flow())
                .addKeyValue("version", version.version().version())
                .log("flow version has ended");
    }

    private void forgetNames(RunningVersion version, Set<String> stillServed) {
        for (String name : version.names().names()) {
            if (!stillServed.contains(name) && stableNames.containsKey(name)) {
                stableNames.remove(name).vanish();
            }
        }
    }

    /** Returns the check context of a file, without the other versions of the file. */
    public synchronized CheckContext around(String file) {
        Map<String, String> others = new HashMap<>();
        Map<String, String> ids = new HashMap<>();
        Map<String, String> needed = new HashMap<>();
        Map<String, List<HttpIngress.Door>> doors = new HashMap<>();
        Map<String, Node> trees = new HashMap<>();
        Set<String> own = new HashSet<>();
        for (RunningVersion version : newest.values()) {
            String other = version.version().file();
            if (other.equals(file)) {
                own.addAll(version.names().names());
            } else {
                version.names().names().forEach(name -> others.put(name, other));
                version.ids().forEach(id -> ids.put(id, other));
                version.calls().forEach(name -> needed.put(name, other));
                doors.put(other, version.httpDoors());
                trees.put(other, version.tree());
            }
        }
        needed.keySet().retainAll(own);
        Set<String> served = new HashSet<>();
        Model model = context.getCamelContextExtension().getContextPlugin(Model.class);
        for (RouteDefinition route : new ArrayList<>(model.getRouteDefinitions())) {
            String id = route.getRouteId();
            if (id == null || !id.contains("@")) {
                served.add(VersionedEndpoints.keyOf(route.getInput().getEndpointUri()));
                if (id != null) {
                    ids.putIfAbsent(id, "");
                }
            }
        }
        return new CheckContext(context, Kamelets.of(context), served, others, ids, doors, trees, needed);
    }
}
