package io.caravanserai.store;

import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A lock that gives one hub exclusive use of a folder. The operating system releases the lock when the process ends.
 */
public final class FolderLock implements AutoCloseable {
    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /**
     * Creates the folder if missing, and locks the folder.
     *
     * @throws StoreUnavailableException when another hub holds the lock, or the folder is not writable
     */
    public static FolderLock take(Path folder) {
        try {
            PrivateFiles.createFolder(folder);
            PrivateFiles.createFile(folder.resolve("hub.lock"));
            FileChannel channel = FileChannel.open(folder.resolve("hub.lock"), StandardOpenOption.WRITE);
            FolderLock lock = new FolderLock(folder, channel);
            if (!isFree(channel)) {
                lock.close();
                throw new StoreUnavailableException(
                        "another hub is running on " + folder.toAbsolutePath()
                                + ": stop it, or give this one a folder of its own with hub.data.dir",
                        null);
            }
            return lock;
        } catch (IOException e) {
            throw new StoreUnavailableException(
                    "the folder " + folder.toAbsolutePath() + " (hub.data.dir) cannot be written: " + reason(e), e);
        }
    }

    private static boolean isFree(FileChannel channel) throws IOException {
        try {
            // The lock is held until the channel is closed.
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private static String reason(IOException e) {
        if (e instanceof FileAlreadyExistsException) {
            return "not a folder";
        }
        return e instanceof AccessDeniedException ? "permission denied" : e.toString();
    }

    /** The locked folder. */
    public Path folder() {
        return folder;
    }

    /** Releases the lock; a second call has no effect. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
