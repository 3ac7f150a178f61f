package io.caravanserai.flow.deploy;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Removes superseded versions without unfinished orders and without exchanges in flight. Not thread-safe: called by one
 * thread.
 *
 * <p>The sweeper removes a version from the running versions under the lock of {@link RunningFlows}, and stops the routes
 * after releasing the lock: an edit must not wait until the routes of an old version have stopped.
 */
public final class VersionSweeper {
    /** After this time all orders accepted in a version are in the store and counted. */
    private static final Duration GRACE = Duration.ofSeconds(5);
    /** How long an exchange without an order may loop in a superseded version. */
    private static final Duration MAX_LOOPING = Duration.ofSeconds(15);

    private final RunningFlows running;
    private final OrdersCarried carried;
    private final Clock clock;
    private final Map<RunningVersion, Instant> supersededSince = new HashMap<>();

    public VersionSweeper(RunningFlows running, OrdersCarried carried, Clock clock) {
        this.running = running;
        this.carried = carried;
        this.clock = clock;
    }

    /** Removes the versions without orders. Blocks until the routes of these versions have stopped. */
    public void sweep() {
        List<RunningVersion> candidates = candidates(clock.instant());
        if (candidates.isEmpty()) {
            return;
        }
        Map<RunningFlows.Key, Long> orders =
                OrdersCarried.byVersion(carried.unfinished().join());
        List<RunningVersion> ended;
        synchronized (running) {
            List<RunningVersion> withoutOrders = candidates.stream()
                    .filter(running.superseded()::contains)
                    .filter(version -> !orders.containsKey(RunningFlows.Key.of(version.version())))
                    .toList();
            withoutOrders.stream().filter(version -> version.inFlight() > 0).forEach(RunningVersion::endLoops);
            ended = withoutOrders.stream()
                    .filter(version -> version.inFlight() == 0)
                    .toList();
            ended.forEach(running::takeOut);
        }
        ended.forEach(running::end);
    }

    private List<RunningVersion> candidates(Instant now) {
        synchronized (running) {
            List<RunningVersion> superseded = running.superseded();
            supersededSince.keySet().retainAll(superseded);
            superseded.forEach(version -> supersededSince.putIfAbsent(version, now));
            return superseded.stream()
                    .filter(version -> hasLasted(version, GRACE, now))
                    .filter(version -> version.inFlight() == 0 || hasLasted(version, MAX_LOOPING, now))
                    .toList();
        }
    }

    private boolean hasLasted(RunningVersion version, Duration time, Instant now) {
        return !supersededSince.get(version).plus(time).isAfter(now);
    }
}
