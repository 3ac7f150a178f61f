package io.caravanserai.store;

import io.caravanserai.support.PrivateFiles;
import io.caravanserai.support.SyncedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files of an SQLite database, and their replacement by new ones such that a crash at any moment leaves one whole
 * database behind.
 *
 * <p>A new file that is whole has the name {@code .next}. From then on it is the database: whoever finds it first
 * deletes the old log, which SQLite would apply to the new file, and then gives the new file the database's name.
 * Nothing is committed to the old files once they are condemned, so a {@code .next} that is lost loses nothing.
 */
final class DatabaseFiles {
    private final Path database;
    private final Path forming;
    private final Path next;
    private final Path condemned;

    DatabaseFiles(Path database) {
        this.database = database;
        this.forming = sibling(".rebuilding");
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

    /** Leaves a note for the next process; needs no sync, for a power cut takes with it what was not on the disk. */
    void condemn(String reason) throws IOException {
        Files.writeString(condemned, reason);
    }

    /** Takes away what an unfinished rebuild has left; answers an empty place for a new file. */
    Path beginForming() throws IOException {
        for (String suffix : new String[] {"", "-journal", "-wal", "-shm"}) {
            Files.deleteIfExists(forming.resolveSibling(forming.getFileName() + suffix));
        }
        Files.deleteIfExists(next);
        PrivateFiles.createFile(forming);
        return forming;
    }

    /** Declares the new file whole; it has been checked. */
    void formed() throws IOException {
        SyncedFiles.sync(forming);
        SyncedFiles.rename(forming, next);
    }

    boolean hasNext() {
        return Files.exists(next);
    }

    /** Makes the new file the database; to be called again when it fails. No connection may be open. */
    void takeNext() throws IOException {
        if (Files.exists(next)) {
            Files.deleteIfExists(log());
            Files.deleteIfExists(sibling("-shm"));
            // Durable before the new name is: SQLite would apply the old log to the new file.
            SyncedFiles.sync(database.toAbsolutePath().getParent());
            SyncedFiles.rename(next, database);
        } else {
            SyncedFiles.sync(database.toAbsolutePath().getParent());
        }
        Files.deleteIfExists(condemned);
    }
}
