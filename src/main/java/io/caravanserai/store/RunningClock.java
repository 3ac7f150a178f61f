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
 * A clock that stands still while no hub of its store runs, or while this process is stopped by a signal, and that takes
 * no part in jumps of the machine's clock: for deadlines. Between starts it is kept in the store. Thread-safe.
 *
 * <p>The clock begins as the machine's and falls behind it. A crash may set it back by as much as lies between two
 * records of it: a deadline is then a few seconds later, never earlier.
 */
public final class RunningClock extends Clock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RunningClock.class);

    private static final String READ = "SELECT at FROM running_time WHERE one = 1";
    private static final String RECORD = """
            INSERT INTO running_time (one, at) VALUES (1, ?)
            ON CONFLICT (one) DO UPDATE SET at = excluded.at WHERE excluded.at > running_time.at
            """;
    /** Of a store that has none yet: what was open when its hub ended has waited no longer than that. */
    private static final String LAST_SIGN_OF_LIFE = """
            SELECT MAX(updated_at) FROM orders WHERE status NOT IN ('SHIPPED', 'CANCELLED')
            """;

    private static final long TICK_MILLIS = 500;
    private static final long RECORDED_EVERY_TICKS = 10;
    /** What a tick counts at most: one that comes later had to wait for a process that was stopped. */
    private static final long LONGEST_TICK_NANOS = Duration.ofSeconds(2).toNanos();

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

    /** Goes on from where the last hub of the store left off. */
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
            recorded = tx.first(LAST_SIGN_OF_LIFE, row -> row.getLong(1)).orElse(0L);
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

    /** Counts what has passed since it was last asked, or ticked: the longest pause between two counts. */
    @Override
    public synchronized Instant instant() {
        long read = nanos.getAsLong();
        now = now.plusNanos(Math.min(Math.max(0, read - countedNanos), LONGEST_TICK_NANOS));
        countedNanos = read;
        return now;
    }

    /** What the machine's clock will show when this one shows that, if neither stands still until then. */
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
