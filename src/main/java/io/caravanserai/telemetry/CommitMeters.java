package io.caravanserai.telemetry;

import io.caravanserai.store.StoreListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Measures commits: duration, units of work per commit, and failures. */
public final class CommitMeters implements StoreListener {
    private final DistributionSummary units;
    private final Timer time;
    private final Counter failures;

    public CommitMeters(MeterRegistry registry) {
        this.units = DistributionSummary.builder("hub.store.commit.units")
                .description("Units of work that shared a commit")
                .register(registry);
        this.time = Timer.builder("hub.store.commit")
                .description("Time of a commit with the units in it")
                .register(registry);
        this.failures = Counter.builder("hub.store.failures")
                .description("Commits rolled back because the database failed")
                .register(registry);
    }

    @Override
    public void afterCommit(List<String> names, long nanos) {
        units.record(names.size());
        time.record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void failed(List<String> names, Exception cause) {
        failures.increment();
    }
}
