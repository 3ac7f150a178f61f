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
 * A folder of files that met an I/O error, and the replacement of that folder by synced copies. After a failed write or
 * sync Linux marks the pages clean although they never reached the disk, and a later sync of the same file succeeds.
 * The page cache still holds the full content; only new files bring that content to the disk.
 *
 * <p>A crash at any moment leaves one complete folder. A complete copy has the suffix {@code .next} and replaces the
 * folder from then on. No file of the folder may be open during the replacement. Not thread-safe.
 */
public final class CondemnedFolder {
    private final Path folder;
    private final Path rebuilding;
    private final Path next;
    private final Path marker;

    public CondemnedFolder(Path folder) {
        this.folder = folder;
        this.rebuilding = sibling(".rebuilding");
        this.next = sibling(".next");
        this.marker = sibling(".condemned");
    }

    private Path sibling(String suffix) {
        return folder.resolveSibling(folder.getFileName() + suffix);
    }

    /** Marks the folder as untrusted. The mark is a file, so a later process also finds it. */
    public void condemn(String reason) throws IOException {
        Files.writeString(marker, reason);
    }

    /** Replaces the folder if it is condemned. Also finishes a replacement that an earlier process began. */
    public void makeGood() throws IOException {
        SyncedFiles.deleteAll(rebuilding);
        if (!Files.exists(next) && Files.exists(marker) && Files.exists(folder)) {
            copy();
            SyncedFiles.rename(rebuilding, next);
        }
        if (Files.exists(next)) {
            SyncedFiles.deleteAll(folder);
            SyncedFiles.rename(next, folder);
        }
        Files.deleteIfExists(marker);
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
        return rebuilding.resolve(folder.relativize(from).toString());
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
