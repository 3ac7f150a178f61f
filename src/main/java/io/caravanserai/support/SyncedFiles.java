package io.caravanserai.support;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * File operations with results that survive a power cut once the method has returned. A file that is written and
 * renamed without a sync may be empty after a power cut.
 */
public final class SyncedFiles {
    private SyncedFiles() {}

    /** Syncs a file's content, or a folder's directory entries. */
    public static void sync(Path path) throws IOException {
        StandardOpenOption mode = Files.isDirectory(path) ? StandardOpenOption.READ : StandardOpenOption.WRITE;
        try (FileChannel channel = FileChannel.open(path, mode)) {
            channel.force(true);
        }
    }

    /** Syncs every file and folder below a folder, and the folder itself. */
    public static void syncAll(Path folder) throws IOException {
        for (Path path : deepestFirst(folder)) {
            sync(path);
        }
    }

    /**
     * Renames a file or folder, replacing an existing target, and syncs the parent folder. The source must have been
     * synced.
     */
    public static void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        sync(to.toAbsolutePath().getParent());
    }

    /** Deletes a folder and all content; does nothing when the folder is missing. */
    public static void deleteAll(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        for (Path path : deepestFirst(folder)) {
            Files.delete(path);
        }
    }

    private static List<Path> deepestFirst(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            return paths.sorted(Comparator.reverseOrder()).toList();
        }
    }
}
