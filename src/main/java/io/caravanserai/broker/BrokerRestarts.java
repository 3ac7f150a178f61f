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
 * Starts an embedded broker again that has stopped itself because its disk was full or failed. After any error but a
 * full disk the broker continues on copies of its files. Thread-safe.
 */
final class BrokerRestarts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerRestarts.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    /** A restart that has not helped would not help a moment later, and disturbs everybody. */
    private static final Duration BETWEEN_RESTARTS = Duration.ofMinutes(10);

    /** As much as a broker needs to begin with: a broker that fails half-way through its start is harder to stop. */
    private static final int TRIAL_BYTES = 10 * 1024 * 1024;

    private final String name;
    private final Path folder;
    private final Part broker;
    private final CondemnedFolder condemned;
    private final OutageLog outageLog;
    private final CountDownLatch closing = new CountDownLatch(1);
    private Thread thread;
    private volatile String outage;
    private long lastRestart = System.nanoTime() - BETWEEN_RESTARTS.toNanos();

    /** What is started again. Called by one thread at a time. */
    interface Part {
        /** Lets go of all files; returns when that is done. */
        void stop() throws Exception;

        void start() throws Exception;
    }

    /**
     * @param name such as {@code embedded JMS broker}
     * @param folder all its files
     */
    BrokerRestarts(String name, Path folder, Part broker) {
        this.name = name;
        this.folder = folder;
        this.broker = broker;
        this.condemned = new CondemnedFolder(folder);
        this.outageLog = new OutageLog(LOG, name);
    }

    /** To be called before the first start: finishes what an earlier process has begun. */
    void prepare() throws IOException {
        condemned.makeGood();
    }

    /** Why the broker does not run; empty while it does. */
    Optional<String> outage() {
        return Optional.ofNullable(outage);
    }

    /** To be called when the broker has failed, by any thread and as often as one likes; never blocks for long. */
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
                        .log("cannot note that the broker's files must be copied: do not stop the hub before that");
            }
        }
        if (outage == null) {
            startRestarting(
                    reason + "; it is started again when its files in " + folder + " (hub.data.dir) can be written");
        }
    }

    /** Starts a broker again whose files can be trusted; at most once in ten minutes, and not while one is under way. */
    synchronized void restart(String reason) {
        long now = System.nanoTime();
        if (closing.getCount() == 0 || outage != null || now - lastRestart < BETWEEN_RESTARTS.toNanos()) {
            return;
        }
        lastRestart = now;
        startRestarting(reason);
    }

    private void startRestarting(String reason) {
        away(reason);
        thread = new Thread(this::restart, "broker-restart");
        thread.setDaemon(true);
        thread.start();
    }

    private void away(String reason) {
        outage = "the " + name + " does not run: " + reason;
        outageLog.failed(outage);
    }

    private void restart() {
        boolean stopped = false;
        for (Duration pause = Duration.ZERO; !isClosing(pause); pause = longer(pause)) {
            try {
                if (!stopped) {
                    broker.stop();
                    stopped = true;
                }
                tryDisk();
                condemned.makeGood();
                broker.start();
                backAgain();
                return;
            } catch (Exception e) {
                away(reason(e, null) + "; the next attempt to start it follows");
            }
        }
    }

    private synchronized void backAgain() {
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

    private static Duration longer(Duration pause) {
        Duration twice = pause.isZero() ? FIRST_PAUSE : pause.multipliedBy(2);
        return twice.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : twice;
    }

    private void tryDisk() throws IOException {
        Path trial = folder.resolveSibling(folder.getFileName() + ".trial");
        try {
            PrivateFiles.createFile(trial);
            try (FileChannel channel = FileChannel.open(trial, StandardOpenOption.WRITE)) {
                ByteBuffer zeros = ByteBuffer.allocate(64 * 1024);
                for (int written = 0; written < TRIAL_BYTES; ) {
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

    /** Java has no exception of its own for it. Nothing was written then, so what is there can be trusted. */
    private static boolean isFullDisk(Throwable failure, String message) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (tellsOfFullDisk(cause.getMessage())) {
                return true;
            }
        }
        return tellsOfFullDisk(message);
    }

    /** For brokers that do not tell why they end. */
    private boolean hasNoRoom() {
        try {
            return Files.getFileStore(folder).getUsableSpace() < TRIAL_BYTES / 10;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean tellsOfFullDisk(String message) {
        return message != null && (message.contains("No space left") || message.contains("quota exceeded"));
    }

    /** Starts nothing from now on, and waits for a start that is under way. */
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
