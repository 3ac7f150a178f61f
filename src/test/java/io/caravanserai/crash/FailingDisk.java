package io.caravanserai.crash;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A file system on a simulated disk that can fail and lose power. The disk is served by nbdkit; the kernel treats
 * errors of nbdkit as errors of the device. Requires Linux, root, and the Debian packages nbdkit, libnbd-bin, fuse3,
 * e2fsprogs and mount.
 */
public final class FailingDisk implements AutoCloseable {
    /** Unsynced metadata stays in memory, so that a power cut reveals missing syncs. */
    private static final String MOUNT_OPTIONS = "commit=3600";

    private final Path folder;
    private final Path image;
    /** On a device that does not fail: the file system would become read-only without the journal. */
    private final Path journal;

    private final Path failing;
    private final Path mounted;
    private final Deque<String[]> undo = new ArrayDeque<>();
    private final Process server;
    private int cuts;

    /** @param folder an existing empty folder on another disk */
    public FailingDisk(Path folder, int megabytes) throws IOException {
        this.folder = folder;
        this.image = folder.resolve("disk.img");
        this.journal = folder.resolve("journal.img");
        this.failing = folder.resolve("failing");
        this.mounted = Files.createDirectories(folder.resolve("disk"));
        Path device = Files.createDirectories(folder.resolve("device"));
        run("truncate", "-s", megabytes + "M", image.toString());
        run("truncate", "-s", "64M", journal.toString());
        server = new ProcessBuilder(
                        "nbdfuse",
                        device.toString(),
                        "--socket-activation",
                        "nbdkit",
                        "--filter=error",
                        "file",
                        image.toString(),
                        "error-pwrite=EIO",
                        "error-pwrite-rate=100%",
                        "error-pwrite-file=" + failing)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("server.log").toFile())
                .start();
        undo.push(new String[] {"fusermount3", "-u", device.toString()});
        try {
            Path file = device.resolve("nbd");
            await().until(() -> Files.exists(file));
            String journalDevice = loop(journal);
            run("mke2fs", "-q", "-F", "-b", "4096", "-O", "journal_dev", journalDevice);
            String disk = loop(file);
            run("mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-J", "device=" + journalDevice, disk);
            mount(disk, journalDevice, mounted);
        } catch (RuntimeException | IOException e) {
            close();
            throw e;
        }
    }

    private String loop(Path file) throws IOException {
        String device = run("losetup", "--show", "-f", file.toString()).strip();
        undo.push(new String[] {"losetup", "-d", device});
        return device;
    }

    private void mount(String device, String journalDevice, Path place) throws IOException {
        run("mount", "-o", MOUNT_OPTIONS + ",journal_path=" + journalDevice, device, place.toString());
        undo.push(new String[] {"umount", "-l", place.toString()});
    }

    /** The mount point of the file system. */
    public Path root() {
        return mounted;
    }

    /** Makes each write to the disk fail until {@link #work}. Must last less than half a minute. */
    void fail() throws IOException {
        // Linux writes metadata back after half a minute. After a failure of this write ext4 stays read-only.
        sync();
        Files.createFile(failing);
    }

    private void sync() throws IOException {
        try {
            run("sync", "-f", mounted.toString());
        } catch (IOException toldOnce) {
            // Linux reports an earlier failure once, at the next sync.
            run("sync", "-f", mounted.toString());
        }
    }

    /** Makes the disk work again. */
    void work() throws IOException {
        Files.delete(failing);
    }

    /** Returns the file system in the state after a power cut at this moment; this file system continues. */
    public Path cutPower() throws IOException {
        cuts++;
        String device = loop(copy(image));
        String journalDevice = loop(copy(journal));
        Path place = Files.createDirectories(folder.resolve("after-cut-" + cuts));
        mount(device, journalDevice, place);
        return place;
    }

    private Path copy(Path file) throws IOException {
        Path copy = folder.resolve("cut-" + cuts + "-" + file.getFileName());
        run("cp", "--sparse=always", file.toString(), copy.toString());
        return copy;
    }

    /** No file on the disk may be open. */
    @Override
    public void close() throws IOException {
        Files.deleteIfExists(failing);
        while (!undo.isEmpty()) {
            run(undo.pop());
        }
        try {
            if (!server.waitFor(20, TimeUnit.SECONDS)) {
                server.destroy();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        await().atMost(Duration.ofMinutes(1)).until(() -> !process.isAlive());
        if (process.exitValue() != 0) {
            throw new IOException(List.of(command) + " failed: " + output);
        }
        return output;
    }
}
