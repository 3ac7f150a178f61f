package io.caravanserai.flow.deploy;

import io.caravanserai.flow.deploy.FlowFolder.Stamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Detects changed files of the folder once a file has stopped changing. Polls the folder: polling works on every file
 * system, and the change events of editors differ too much.
 * <p>{@link #look} is called every {@link #EVERY}, by one thread.
 */
public final class FolderWatch {
    public static final Duration EVERY = Duration.ofMillis(200);
    /** A file without a change for this time counts as completely written. */
    static final Duration REST = Duration.ofMillis(300);
    /** The time for a file that looks incompletely written. */
    static final Duration LONG_REST = Duration.ofMillis(1_200);

    private static final Stamp GONE = new Stamp(null, 0, -1, 0);

    private final FlowFolder folder;
    private final Clock clock;
    private final Map<String, Stamp> known = new ConcurrentHashMap<>();
    private final Map<String, Change> changing = new HashMap<>();

    private record Change(Stamp stamp, Instant since) {}

    /** Receives files that have stopped changing. */
    public interface Handler {
        /**
         * A file is new or has changed.
         * @param hasRestedLong false in the first call; a result of false then leads to a second call after a longer
         *     time
         */
        boolean changed(String file, boolean hasRestedLong);

        void deleted(String file);
    }

    public FolderWatch(FlowFolder folder, Clock clock) {
        this.folder = folder;
        this.clock = clock;
    }

    /** Marks the current files as known. */
    public void remember(Map<String, Stamp> files) {
        known.putAll(files);
    }

    /** Returns files that are still changing; only for the polling thread. */
    public Set<String> changing() {
        return changing.keySet();
    }

    /** Whether a file was reported as deleted, or was never seen. Thread-safe. */
    public boolean isGone(String file) {
        return !known.containsKey(file);
    }

    /** The hub has written a file, so that a later deletion is detected. Thread-safe. */
    public void expect(String file) {
        known.putIfAbsent(file, GONE);
    }

    /** Compares the folder with what is known, and tells the handler what has changed and come to rest. */
    public void look(Handler handler) {
        Instant now = clock.instant();
        Map<String, Stamp> files = folder.files();
        Set<String> gone = new HashSet<>(known.keySet());
        gone.removeAll(files.keySet());
        changing.keySet().retainAll(union(files.keySet(), gone));
        files.forEach((file, stamp) -> {
            if (stamp.equals(known.get(file))) {
                changing.remove(file);
            } else if (rested(file, stamp, now, REST) && handler.changed(file, rested(file, stamp, now, LONG_REST))) {
                known.put(file, stamp);
                changing.remove(file);
            }
        });
        // Editors that save by delete and rename make a file disappear for a moment.
        for (String file : gone) {
            if (rested(file, GONE, now, REST)) {
                known.remove(file);
                changing.remove(file);
                handler.deleted(file);
            }
        }
    }

    private boolean rested(String file, Stamp stamp, Instant now, Duration rest) {
        Change change = changing.get(file);
        if (change == null || !change.stamp().equals(stamp)) {
            changing.put(file, new Change(stamp, now));
            return false;
        }
        return !change.since().plus(rest).isAfter(now);
    }

    private static Set<String> union(Set<String> one, Set<String> other) {
        Set<String> both = new HashSet<>(one);
        both.addAll(other);
        return both;
    }
}
