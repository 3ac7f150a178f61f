package io.caravanserai.support;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * A folder of files that an I/O error has hit, and its replacement by copies that are synced. After a failed write or
 * sync Linux keeps the pages as clean although they never reached the disk, and a later sync of the same file succeeds:
 * what is in memory is whole, and only new files bring it to the disk.
 *
 * <p>A crash at any moment leaves one whole folder: a copy that is whole has the name {@code .next} and counts from then
 * on. Nobody may have a file of the folder open. Not thread-safe.
 */
public final class CondemnedFolder {
    private final Path folder;
    private final Path forming;
    private final Path next;
    private final Path note;

    public CondemnedFolder(Path folder) {
        this.folder = folder;
        this.forming = sibling(".rebuilding");
        this.next = sibling(".next");
        this.note = sibling(".condemned");
    }

    private Path sibling(String suffix) {
        return folder.resolveSibling(folder.getFileName() + suffix);
    }

    /** Leaves a note, also for a process that starts after this one has died. */
    public void condemn(String reason) throws IOException {
        Files.writeString(note, reason);
    }

    /** Replaces the folder when it is condemned, and finishes a replacement that an earlier process has begun. */
    public void makeGood() throws IOException {
        SyncedFiles.deleteAll(forming);
        if (!Files.exists(next) && Files.exists(note) && Files.exists(folder)) {
            copy();
            SyncedFiles.rename(forming, next);
        }
        if (Files.exists(next)) {
            SyncedFiles.deleteAll(folder);
            SyncedFiles.rename(next, folder);
        }
        Files.deleteIfExists(note);
    }

    private void copy() throws IOException {
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path from, BasicFileAttributes attributes) throws IOException {
                PrivateFiles.createFolder(copyOf(from));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path from, BasicFileAttributes attributes) throws IOException {
                copy(from, copyOf(from));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path from, IOException failure) throws IOException {
                SyncedFiles.sync(copyOf(from));
                return super.postVisitDirectory(from, failure);
            }
        });
    }

    private Path copyOf(Path from) {
        return forming.resolve(folder.relativize(from).toString());
    }

    private static void copy(Path from, Path to) throws IOException {
        PrivateFiles.createFile(to);
        try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ);
                FileChannel target = FileChannel.open(to, StandardOpenOption.WRITE)) {
            long size = source.size();
            for (long done = 0; done < size; ) {
                done += source.transferTo(done, size - done, target);
            }
            target.force(true);
        }
    }
}
