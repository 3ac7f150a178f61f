package io.caravanserai.store;

import io.caravanserai.support.PrivateFiles;
import io.caravanserai.support.SyncedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files of an SQLite database and the replacement by new files. A crash at any moment leaves one complete database.
 *
 * <p>A complete new file has the suffix {@code .next} and is the database from then on. The first process that finds
 * {@code .next} deletes the old log, which SQLite would otherwise apply to the new file, and then renames the new file
 * to the database name. No transaction is committed to condemned files, so the loss of {@code .next} loses no data.
 */
final class DatabaseFiles {
    private final Path database;
    private final Path rebuilding;
    private final Path next;
    private final Path condemned;

    DatabaseFiles(Path database) {
        this.database = database;
        this.rebuilding = sibling(".rebuilding");
        this.next = sibling(".next");
        this.condemned = sibling(".condemned");
    }

    private Path sibling(String suffix) {
        return database.resolveSibling(database.getFileName() + suffix);
    }

    Path database() {
        return database;
    }

    Path log() {
        return sibling("-wal");
    }

    boolean isCondemned() {
        return Files.exists(condemned);
    }

    /**
     * Marks the files as untrusted for a later process. No sync: a power cut that loses the mark also clears the page
     * cache with the unwritten pages.
     */
    void condemn(String reason) throws IOException {
        Files.writeString(condemned, reason);
    }

    /** Deletes the remains of an unfinished rebuild and returns an empty file for the new database. */
    Path beginRebuild() throws IOException {
        for (String suffix : new String[] {"", "-journal", "-wal", "-shm"}) {
            Files.deleteIfExists(rebuilding.resolveSibling(rebuilding.getFileName() + suffix));
        }
        Files.deleteIfExists(next);
        PrivateFiles.createFile(rebuilding);
        return rebuilding;
    }

    /** Marks the new file as complete. Call after the check of the file. */
    void finishNext() throws IOException {
        SyncedFiles.sync(rebuilding);
        SyncedFiles.rename(rebuilding, next);
    }

    boolean hasNext() {
        return Files.exists(next);
    }

    /** Makes the new file the database; call again after a failure. No connection may be open. */
    void swapInNext() throws IOException {
        if (Files.exists(next)) {
            Files.deleteIfExists(log());
            Files.deleteIfExists(sibling("-shm"));
            // The deletions must be durable before the rename: SQLite would apply the old log to the new file.
            SyncedFiles.sync(database.toAbsolutePath().getParent());
            SyncedFiles.rename(next, database);
        } else {
            SyncedFiles.sync(database.toAbsolutePath().getParent());
        }
        Files.deleteIfExists(condemned);
    }
}
