package io.caravanserai.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.stream.Stream;

/**
 * Times steps and compensations, and counts retries. Tag values are names from flows, never ids of orders. Thread-safe.
 */
public final class WorkMeters {
    static final Duration[] BUCKETS = Stream.of(
                    1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
            .map(Duration::ofMillis)
            .toArray(Duration[]::new);

    private final MeterRegistry registry;

    public WorkMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    /** @param outcome for example {@code done} or {@code refused} */
    public void step(String step, String outcome, Duration took) {
        Timer.builder("hub.step")
                .description("Time of an attempt of a step until its outcome is durable")
                .serviceLevelObjectives(BUCKETS)
                .tags("step", step, "outcome", outcome)
                .register(registry)
                .record(took);
    }

    /** @param outcome {@code done}, {@code skipped} or {@code failed} */
    public void compensation(String compensation, String outcome, Duration took) {
        Timer.builder("hub.compensation")
                .description("Time of an attempt of a compensation until its outcome is known")
                .serviceLevelObjectives(BUCKETS)
                .tags("compensation", compensation, "outcome", outcome)
                .register(registry)
                .record(took);
    }

    /** @param step the retried action or compensation */
    public void retried(String step) {
        Counter.builder("hub.retries")
                .description("Attempts of steps and compensations that failed and were followed by another")
                .tag("step", step)
                .register(registry)
                .increment();
    }
}
