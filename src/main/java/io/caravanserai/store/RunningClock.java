package io.caravanserai.store;

import io.caravanserai.support.PeriodicTask;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A clock for deadlines. The clock stands still while no hub of the store runs and while a signal has stopped this
 * process, and ignores jumps of the system clock. The store keeps the time between starts. Thread-safe.
 *
 * <p>The clock starts at the system time and falls behind. A crash may set the clock back by up to the interval between
 * two records: a deadline then comes a few seconds later, never earlier.
 */
public final class RunningClock extends Clock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RunningClock.class);

    private static final String READ = "SELECT at FROM running_time WHERE one = 1";
    private static final String RECORD = """
            INSERT INTO running_time (one, at) VALUES (1, ?)
            ON CONFLICT (one) DO UPDATE SET at = excluded.at WHERE excluded.at > running_time.at
            """;
    /**
     * The start time for a store without a record: the latest update of an open order, a lower bound of the time when
     * the last hub ended.
     */
    private static final String LATEST_UPDATE = """
            SELECT MAX(updated_at) FROM orders WHERE status NOT IN ('SHIPPED', 'CANCELLED')
            """;

    private static final long TICK_MILLIS = 500;
    private static final long RECORDED_EVERY_TICKS = 10;
    /** The maximum that one tick adds. A later tick means that the process was stopped. */
    private static final long MAX_TICK_NANOS = Duration.ofSeconds(2).toNanos();

    private final Store store;
    private final Clock wall;
    private final LongSupplier nanos;
    private volatile PeriodicTask passes;
    private Instant now;
    private long countedNanos;
    private long ticks;

    private RunningClock(Store store, Clock wall, LongSupplier nanos, Instant now) {
        this.store = store;
        this.wall = wall;
        this.nanos = nanos;
        this.now = now;
        this.countedNanos = nanos.getAsLong();
    }

    /** Resumes from the last recorded time of the store. */
    public static RunningClock resume(Store store, Clock wall) {
        RunningClock clock = resume(store, wall, System::nanoTime);
        clock.passes = PeriodicTask.start("running-clock", Duration.ZERO, Duration.ofMillis(TICK_MILLIS), clock::tick);
        return clock;
    }

    static RunningClock resume(Store store, Clock wall, LongSupplier nanos) {
        Instant from = store.read(tx -> from(tx, wall)).join();
        return new RunningClock(store, wall, nanos, from);
    }

    private static Instant from(Transaction tx, Clock wall) throws SQLException {
        long recorded = tx.first(READ, row -> row.getLong(1)).orElse(0L);
        if (recorded == 0) {
            recorded = tx.first(LATEST_UPDATE, row -> row.getLong(1)).orElse(0L);
        }
        return recorded == 0 ? wall.instant() : Instant.ofEpochMilli(recorded);
    }

    void tick() {
        Instant reached = instant();
        if (ticks++ % RECORDED_EVERY_TICKS == 0 && store.unavailableReason().isEmpty()) {
            store.write("running-time", "running-time", tx -> tx.update(RECORD, reached))
                    .exceptionally(failure -> {
                        LOG.atDebug().setCause(failure).log("running time not recorded; next record in 5 s");
                        return 0;
                    });
        }
    }

    /** Adds the time since the previous call or tick, at most 2 s, and returns the result. */
    @Override
    public synchronized Instant instant() {
        long read = nanos.getAsLong();
        now = now.plusNanos(Math.min(Math.max(0, read - countedNanos), MAX_TICK_NANOS));
        countedNanos = read;
        return now;
    }

    /** The system time at which this clock will show the given time, if neither clock stands still until then. */
    public Instant onTheWall(Instant running) {
        return running.plus(Duration.between(instant(), wall.instant()));
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        throw new UnsupportedOperationException("running time has no zone");
    }

    @Override
    public void close() {
        if (passes != null) {
            passes.close();
        }
        store.write("running-time", "running-time", tx -> tx.update(RECORD, instant()))
                .exceptionally(failure -> 0);
    }
}
