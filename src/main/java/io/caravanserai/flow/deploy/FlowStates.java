package io.caravanserai.flow.deploy;

import io.caravanserai.flow.yaml.FlowVersion;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Lists the states of all flows: running versions, unfinished orders, and refused files. Thread-safe. */
public final class FlowStates {
    private final RunningFlows running;
    private final Refusals refusals;

    public FlowStates(RunningFlows running, Refusals refusals) {
        this.running = running;
        this.refusals = refusals;
    }

    /** Returns the states of all flows, sorted by file. */
    public List<FlowState> list(List<OrdersCarried.Carried> unfinished) {
        Map<RunningFlows.Key, Long> orders = OrdersCarried.byVersion(unfinished);
        Map<String, List<RunningVersion>> byFile = running.all().stream()
                .collect(Collectors.groupingBy(version -> version.version().file()));
        TreeSet<String> files = new TreeSet<>(byFile.keySet());
        files.addAll(refusals.files());
        return files.stream()
                .map(file -> state(file, byFile.getOrDefault(file, List.of()), orders))
                .toList();
    }

    private FlowState state(String file, List<RunningVersion> versions, Map<RunningFlows.Key, Long> orders) {
        Optional<RunningVersion> newest = running.newest(FlowVersion.flowOf(file));
        List<FlowState.Running> states = versions.stream()
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
        Integer version = newest.map(each -> each.version().version()).orElse(null);
        return new FlowState(file, FlowVersion.flowOf(file), version, states, refusals.get(file));
    }
}
