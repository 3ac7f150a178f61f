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
 * The versions whose routes are in the context, and which of them is the newest of its flow. Reading is thread-safe;
 * whoever changes something must hold the lock of the facade, {@code Flows}.
 */
public final class RunningFlows {
    private static final Logger LOG = LoggerFactory.getLogger(RunningFlows.class);

    private final CamelContext context;
    private final Map<Key, RunningVersion> running = new ConcurrentHashMap<>();
    private final Map<String, RunningVersion> newest = new ConcurrentHashMap<>();
    private final Map<String, FlowAlias> stableNames = new HashMap<>();
    /** Those whose routes are being stopped. */
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

    /** The newest version of each flow. */
    public List<RunningVersion> newest() {
        return List.copyOf(newest.values());
    }

    public boolean isRunning(String flow, int version) {
        return running.containsKey(new Key(flow, version));
    }

    public Collection<RunningVersion> all() {
        return List.copyOf(running.values());
    }

    /** Those that run beside or after the newest version of their flow, for the orders they still carry. */
    public List<RunningVersion> superseded() {
        return running.values().stream()
                .filter(version -> newest.get(version.version().flow()) != version)
                .toList();
    }

    /** Adds a version beside the others; it takes nothing from outside. */
    public RunningVersion add(FlowVersion version) throws Exception {
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
     * Makes a version the newest: from one message to the next, what comes from outside goes to it.
     *
     * @throws Exception when its doors cannot be opened; then everything is as before
     */
    public void promote(RunningVersion version) throws Exception {
        String flow = version.version().flow();
        RunningVersion before = newest.get(flow);
        try {
            version.openSharedDoors();
            if (before != null && before != version) {
                before.closeExclusiveDoors();
                before.drainExclusiveDoors();
            }
            version.openExclusiveDoors();
        } catch (Exception e) {
            version.closeSharedDoors();
            version.closeExclusiveDoors();
            if (before != null && before != version) {
                before.openExclusiveDoors();
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
        if (before != null && before != version) {
            forgetNames(before, version.names().names());
            before.closeSharedDoors();
        }
    }

    /** Nothing enters the flow any more; its versions stay for the orders they carry. */
    public void retire(String flow) throws Exception {
        RunningVersion last = newest.remove(flow);
        if (last != null) {
            forgetNames(last, Set.of());
            last.closeSharedDoors();
            last.closeExclusiveDoors();
        }
    }

    public void remove(RunningVersion version) {
        takeOut(version);
        end(version);
    }

    /** A version is no longer one of those that run; to be followed by {@link #end}. */
    public void takeOut(RunningVersion version) {
        Key key = Key.of(version.version());
        leaving.put(key, new CompletableFuture<>());
        running.remove(key);
    }

    /** Stops the routes of a version that was taken out. Takes seconds at times; needs no lock. */
    public void end(RunningVersion version) {
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

    /** What a file finds around it; the other versions of the file itself are not part of it. */
    public CheckContext around(String file) {
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
