package io.caravanserai.broker;

import io.caravanserai.support.CondemnedFolder;
import io.caravanserai.support.OutageLog;
import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restarts an embedded broker that stopped because of a full or failing disk. After any error except a full disk, the
 * broker continues on copies of the files. Thread-safe.
 */
final class BrokerRestarts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerRestarts.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration MAX_PAUSE = Duration.ofSeconds(5);

    /** A restart that did not help would not help a moment later, and disconnects every client. */
    private static final Duration MIN_RESTART_INTERVAL = Duration.ofMinutes(10);

    /** Space that a broker needs to start: a broker that fails half-way through the start is harder to stop. */
    private static final int PROBE_BYTES = 10 * 1024 * 1024;

    private final String name;
    private final Path folder;
    private final Part broker;
    private final CondemnedFolder condemned;
    private final OutageLog outageLog;
    private final CountDownLatch closing = new CountDownLatch(1);
    private Thread thread;
    private volatile String outage;
    private long lastRestart = System.nanoTime() - MIN_RESTART_INTERVAL.toNanos();

    /** The broker to restart. Called by one thread at a time. */
    interface Part {
        /** Returns after the broker has closed all files. */
        void stop() throws Exception;

        void start() throws Exception;
    }

    /**
     * @param name for messages, such as {@code embedded JMS broker}
     * @param folder holds all files of the broker
     */
    BrokerRestarts(String name, Path folder, Part broker) {
        this.name = name;
        this.folder = folder;
        this.broker = broker;
        this.condemned = new CondemnedFolder(folder);
        this.outageLog = new OutageLog(LOG, name);
    }

    /** Call before the first start: replaces files that an earlier process marked for copying. */
    void prepare() throws IOException {
        condemned.makeGood();
    }

    /** Why the broker is down; empty while the broker runs. */
    Optional<String> outage() {
        return Optional.ofNullable(outage);
    }

    /** Call when the broker has failed, from any thread and repeatedly; never blocks for long. */
    synchronized void failed(Throwable failure, String message) {
        if (closing.getCount() == 0) {
            return;
        }
        String reason = reason(failure, message);
        if (!isFullDisk(failure, message) && !(failure == null && hasNoRoom())) {
            try {
                condemned.condemn(reason);
            } catch (IOException e) {
                LOG.atError()
                        .addKeyValue("part", name)
                        .addKeyValue("error", e.getMessage())
                        .log("cannot mark the files for copying; do not stop the hub until the broker runs");
            }
        }
        if (outage == null) {
            startRestarting(
                    reason + "; restarting the broker once the files in " + folder + " (hub.data.dir) can be written");
        }
    }

    /**
     * Restarts a broker without copying files. Does nothing within ten minutes of an earlier call, or during a restart.
     */
    synchronized void restart(String reason) {
        long now = System.nanoTime();
        if (closing.getCount() == 0 || outage != null || now - lastRestart < MIN_RESTART_INTERVAL.toNanos()) {
            return;
        }
        lastRestart = now;
        startRestarting(reason);
    }

    private void startRestarting(String reason) {
        markDown(reason);
        thread = new Thread(this::restart, "broker-restart");
        thread.setDaemon(true);
        thread.start();
    }

    private void markDown(String reason) {
        outage = "the " + name + " does not run: " + reason;
        outageLog.failed(outage);
    }

    private void restart() {
        boolean stopped = false;
        for (Duration pause = Duration.ZERO; !isClosing(pause); pause = nextPause(pause)) {
            try {
                if (!stopped) {
                    broker.stop();
                    stopped = true;
                }
                probeDisk();
                condemned.makeGood();
                broker.start();
                markRunning();
                return;
            } catch (Exception e) {
                markDown(reason(e, null) + "; retrying the start");
            }
        }
    }

    private synchronized void markRunning() {
        outage = null;
        outageLog.worked();
    }

    private boolean isClosing(Duration pause) {
        try {
            return closing.await(pause.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return true;
        }
    }

    private static Duration nextPause(Duration pause) {
        Duration twice = pause.isZero() ? FIRST_PAUSE : pause.multipliedBy(2);
        return twice.compareTo(MAX_PAUSE) > 0 ? MAX_PAUSE : twice;
    }

    private void probeDisk() throws IOException {
        Path trial = folder.resolveSibling(folder.getFileName() + ".trial");
        try {
            PrivateFiles.createFile(trial);
            try (FileChannel channel = FileChannel.open(trial, StandardOpenOption.WRITE)) {
                ByteBuffer zeros = ByteBuffer.allocate(64 * 1024);
                for (int written = 0; written < PROBE_BYTES; ) {
                    written += channel.write(zeros.rewind());
                }
                channel.force(true);
            }
        } finally {
            Files.deleteIfExists(trial);
        }
    }

    private static String reason(Throwable failure, String message) {
        Throwable root = failure;
        while (root != null && root.getCause() != null) {
            root = root.getCause();
        }
        String cause = root == null ? null : root.getMessage() == null ? root.toString() : root.getMessage();
        return cause != null ? cause : String.valueOf(message);
    }

    /** Java has no exception type for a full disk. A full disk loses no earlier write, so the files can be trusted. */
    private static boolean isFullDisk(Throwable failure, String message) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (isFullDiskMessage(cause.getMessage())) {
                return true;
            }
        }
        return isFullDiskMessage(message);
    }

    /** For brokers that stop without a reason. */
    private boolean hasNoRoom() {
        try {
            return Files.getFileStore(folder).getUsableSpace() < PROBE_BYTES / 10;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean isFullDiskMessage(String message) {
        return message != null && (message.contains("No space left") || message.contains("quota exceeded"));
    }

    /** Starts nothing from now on, and waits up to 10 s for a start in progress. */
    @Override
    public void close() {
        closing.countDown();
        Thread restarting;
        synchronized (this) {
            restarting = thread;
        }
        if (restarting != null) {
            try {
                restarting.join(Duration.ofSeconds(10).toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
