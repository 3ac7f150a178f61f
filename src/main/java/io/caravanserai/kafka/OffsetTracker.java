package io.caravanserai.kafka;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalLong;

/** How far one partition has come: records become durable in any order, offsets are committed without a gap. */
final class OffsetTracker {
    private final Deque<Entry> taken = new ArrayDeque<>();
    private long next = -1;
    private long committed = -1;
    private volatile boolean given;

    /** One record that was taken. */
    static final class Entry {
        private final long offset;
        private volatile boolean durable;

        private Entry(long offset) {
            this.offset = offset;
        }

        void isDurable() {
            durable = true;
        }
    }

    Entry take(long offset) {
        Entry entry = new Entry(offset);
        taken.addLast(entry);
        return entry;
    }

    /** The partition was given away: nothing of it is begun again. */
    void giveAway() {
        given = true;
    }

    boolean isGivenAway() {
        return given;
    }

    /** The offset to commit, when it is further on than the last one. */
    OptionalLong toCommit() {
        while (!taken.isEmpty() && taken.peekFirst().durable) {
            next = taken.removeFirst().offset + 1;
        }
        return next > committed ? OptionalLong.of(next) : OptionalLong.empty();
    }

    void committed(long offset) {
        committed = Math.max(committed, offset);
    }

    /** Records from the first one that is not durable yet to the last one taken: what would come again after a crash. */
    int open() {
        return taken.size();
    }
}
