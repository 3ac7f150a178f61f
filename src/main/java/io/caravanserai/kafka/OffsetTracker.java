package io.caravanserai.kafka;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalLong;

/** Progress in one partition: records become durable in any order, offsets are committed without a gap. */
final class OffsetTracker {
    private final Deque<Entry> taken = new ArrayDeque<>();
    private long next = -1;
    private long committed = -1;
    private volatile boolean revoked;

    /** A record that was taken. */
    static final class Entry {
        private final long offset;
        private volatile boolean durable;

        private Entry(long offset) {
            this.offset = offset;
        }

        void markDurable() {
            durable = true;
        }
    }

    Entry take(long offset) {
        Entry entry = new Entry(offset);
        taken.addLast(entry);
        return entry;
    }

    /** Marks the partition as revoked: no record of the partition is handled again. */
    void revoke() {
        revoked = true;
    }

    boolean isRevoked() {
        return revoked;
    }

    /** The offset to commit; empty unless beyond the last committed offset. */
    OptionalLong toCommit() {
        while (!taken.isEmpty() && taken.peekFirst().durable) {
            next = taken.removeFirst().offset + 1;
        }
        return next > committed ? OptionalLong.of(next) : OptionalLong.empty();
    }

    void committed(long offset) {
        committed = Math.max(committed, offset);
    }

    /**
     * Number of records from the first one that is not durable to the last one taken. These would be delivered again
     * after a crash.
     */
    int open() {
        return taken.size();
    }
}
