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

/** A folder that belongs to one hub at a time. The operating system drops the lock when the process dies. */
public final class FolderLock implements AutoCloseable {
    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /**
     * Creates the folder where needed, and takes it.
     *
     * @throws StoreUnavailableException when another hub has it, or it cannot be written
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
            // Held until the channel is closed.
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private static String reason(IOException e) {
        if (e instanceof FileAlreadyExistsException) {
            return "it is no folder";
        }
        return e instanceof AccessDeniedException ? "permission denied" : e.toString();
    }

    /** What is locked. */
    public Path folder() {
        return folder;
    }

    /** Lets go of the folder; again does nothing. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
