package io.caravanserai.crash;

import io.caravanserai.store.StoreListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs in a hub under test: blocks the writer at a chosen commit, so that the test can kill the process exactly there.
 * Without a chosen commit, only records the names of units.
 */
public final class CrashPoint implements StoreListener {
    private static final String UNIT = System.getenv("CRASH_UNIT");
    private static final boolean AFTER = "after".equals(System.getenv("CRASH_WHEN"));
    private static final String FILE = System.getenv("CRASH_FILE");

    private int left = Integer.parseInt(System.getenv().getOrDefault("CRASH_COUNT", "1"));

    @Override
    public void beforeCommit(List<String> names) {
        if (FILE != null && UNIT == null) {
            names.forEach(CrashPoint::note);
        } else if (!AFTER) {
            stopAt(names);
        }
    }

    @Override
    public void afterCommit(List<String> names, long nanos) {
        if (AFTER) {
            stopAt(names);
        }
    }

    private void stopAt(List<String> names) {
        if (FILE == null || !names.contains(UNIT) || --left > 0) {
            return;
        }
        note(UNIT);
        while (true) {
            LockSupport.park(this);
        }
    }

    private static void note(String name) {
        try {
            Files.writeString(Path.of(FILE), name + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
