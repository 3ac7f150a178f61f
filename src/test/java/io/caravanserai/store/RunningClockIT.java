package io.caravanserai.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunningClockIT {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    Path folder;

    private final AtomicLong nanos = new AtomicLong();

    @Test
    void aProcessThatWasStoppedCountsTwoSecondsAtMost() {
        try (SqliteStore store = SqliteStore.open(folder)) {
            RunningClock clock = RunningClock.resume(store, wall(START), nanos::get);
            passes(Duration.ofMillis(500));
            assertThat(clock.instant()).isEqualTo(START.plusMillis(500));

            passes(Duration.ofSeconds(100));

            assertThat(clock.instant()).isEqualTo(START.plusMillis(2_500));
        }
    }

    @Test
    void timeWithoutRunningHubDoesNotCountDespiteSystemClock() {
        try (SqliteStore store = SqliteStore.open(folder)) {
            RunningClock clock = RunningClock.resume(store, wall(START), nanos::get);
            passes(Duration.ofSeconds(1));
            clock.tick();
        }
        for (Duration jump : new Duration[] {Duration.ofHours(5), Duration.ofHours(-5)}) {
            try (SqliteStore store = SqliteStore.open(folder)) {
                Instant wallNow = START.plus(jump);
                RunningClock clock = RunningClock.resume(store, wall(wallNow), nanos::get);
                assertThat(clock.instant()).isEqualTo(START.plusSeconds(1));
                assertThat(clock.onTheWall(START.plusSeconds(61))).isEqualTo(wallNow.plusSeconds(60));
            }
        }
    }

    private static Clock wall(Instant at) {
        return Clock.fixed(at, ZoneOffset.UTC);
    }

    private void passes(Duration time) {
        nanos.addAndGet(time.toNanos());
    }
}
