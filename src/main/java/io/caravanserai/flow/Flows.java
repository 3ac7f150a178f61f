package io.caravanserai.flow;

import io.caravanserai.store.Store;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The flows of a hub: which versions run, and where orders enter them. Thread-safe.
 *
 * <p>An order stores the version it entered. That version stays, or comes back after a restart, until its last order
 * has ended.
 */
public final class Flows implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Flows.class);
    private static final String FOLDER = "folder";

    private final CamelContext context;
    private final Path folder;
    private final Clock clock;
    private final SqlFlowVersions versions;
    private final OrdersCarried carried;
    private final Map<String, RunningVersion> newest = new ConcurrentHashMap<>();
    private final Map<Key, RunningVersion> running = new ConcurrentHashMap<>();
    private final Map<String, StableName> stableNames = new HashMap<>();

    private record Key(String flow, int version) {}

    /**
     * @param folder where the files are
     * @param carried asked which versions must run again after a restart, and which may go
     */
    public Flows(CamelContext context, Store store, Path folder, Clock clock, OrdersCarried carried) {
        this.context = context;
        this.folder = folder;
        this.clock = clock;
        this.versions = new SqlFlowVersions(store);
        this.carried = carried;
    }

    /**
     * Starts the newest version of each file and each version that still carries orders. Blocks until they run. The
     * context must have been started, with the Java routes that flows call.
     */
    public synchronized void start() {
        for (String file : files()) {
            load(file);
        }
        for (OrdersCarried.Carried each : carried.unfinished().join()) {
            try {
                revive(each.flow(), each.version());
            } catch (UnknownFlowException e) {
                LOG.atError()
                        .addKeyValue("flow", each.flow())
                        .addKeyValue("version", each.version())
                        .addKeyValue("orders", each.orders())
                        .log("orders wait for a version that cannot run");
            }
        }
    }

    /** Where new orders enter a flow; empty when there is no such flow, or no route in it begins with its name. */
    public Optional<Entrance> newest(String flow) {
        RunningVersion version = newest.get(flow);
        String name = "direct:" + flow;
        return Optional.ofNullable(version)
                .filter(each -> each.names().contains(name))
                .map(each -> new Entrance(
                        flow,
                        each.version().version(),
                        LocalNames.versioned(name, each.version().version())));
    }

    /**
     * Where an order that began under this version goes on. Starts the version when it does not run, which blocks for
     * some milliseconds.
     *
     * @throws UnknownFlowException when there never was such a version, or it cannot be started any more
     */
    public String endpoint(String flow, int version) {
        if (!running.containsKey(new Key(flow, version))) {
            revive(flow, version);
        }
        return LocalNames.versioned("direct:" + flow, version);
    }

    @Override
    public synchronized void close() {
        stableNames.values().forEach(StableName::vanish);
        stableNames.clear();
    }

    private synchronized void revive(String flow, int version) {
        Key key = new Key(flow, version);
        if (running.containsKey(key)) {
            return;
        }
        FlowVersion stored = versions.one(FlowVersion.fileOf(flow), version)
                .join()
                .orElseThrow(() -> new UnknownFlowException("the flow " + flow + " has no version " + version));
        try {
            running.put(key, RunningVersion.start(context, stored));
        } catch (Exception e) {
            UnknownFlowException unknown =
                    new UnknownFlowException("version " + version + " of the flow " + flow + " cannot start: " + e);
            unknown.initCause(e);
            throw unknown;
        }
    }

    private void load(String file) {
        try {
            String text = Files.readString(folder.resolve(file));
            FlowVersion version =
                    versions.accept(file, text, FOLDER, clock.instant()).join();
            RunningVersion started = RunningVersion.start(context, version);
            running.put(new Key(version.flow(), version.version()), started);
            newest.put(version.flow(), started);
            for (String name : started.names().names()) {
                if (!name.startsWith("jms:")) {
                    stableNames
                            .computeIfAbsent(name, each -> new StableName(context, each))
                            .pointAt(version.version());
                }
            }
        } catch (Exception e) {
            LOG.atError().addKeyValue("file", file).setCause(e).log("flow refused");
        }
    }

    private List<String> files() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            List<String> files = new ArrayList<>(
                    entries.map(entry -> entry.getFileName().toString()).toList());
            files.removeIf(name -> !name.endsWith(FlowVersion.ENDING) || name.startsWith("."));
            files.sort(null);
            return files;
        } catch (IOException e) {
            throw new UncheckedIOException("the routes folder (hub.routes.dir) cannot be read", e);
        }
    }
}
