package io.caravanserai.support;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * Files and folders that only the user of the process may read: modes 0600 and 0700, whatever the umask. On file
 * systems without POSIX modes no mode is set.
 */
public final class PrivateFiles {
    private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");
    private static final Set<PosixFilePermission> FOLDER = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> OTHERS_RIGHTS = PosixFilePermissions.fromString("---rwxrwx");

    private PrivateFiles() {}

    /** Creates an empty file; an existing file stays unchanged. */
    public static void createFile(Path file) throws IOException {
        try {
            Files.createFile(file, attributes(file, FILE));
        } catch (FileAlreadyExistsException e) {
            // An existing file keeps its mode here; tighten() corrects the mode.
            return;
        }
    }

    /** Creates a folder and missing parent folders; an existing folder stays unchanged. */
    public static void createFolder(Path folder) throws IOException {
        Files.createDirectories(folder, attributes(folder, FOLDER));
    }

    /**
     * Removes all rights of other users from a folder and from everything below; the owner's rights stay.
     *
     * @param except a folder to skip, anywhere in the file system
     * @return the number of files and folders that other users had rights to
     */
    public static int tighten(Path folder, Path except) throws IOException {
        if (!isPosix(folder) || !Files.exists(folder)) {
            return 0;
        }
        Tightening tightening = new Tightening(except.toAbsolutePath().normalize());
        // A symbolic link as the start folder is followed; links below are not.
        Files.walkFileTree(folder.toRealPath(), tightening);
        return tightening.changed;
    }

    /**
     * Whether only the owner has rights to a folder, and thereby to the content. True on file systems without POSIX
     * modes, and for a missing folder.
     */
    public static boolean isPrivate(Path folder) throws IOException {
        return !isPosix(folder)
                || !Files.exists(folder)
                || Collections.disjoint(Files.getPosixFilePermissions(folder), OTHERS_RIGHTS);
    }

    private static FileAttribute<?>[] attributes(Path path, Set<PosixFilePermission> mode) {
        return isPosix(path)
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(mode)}
                : new FileAttribute<?>[0];
    }

    private static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    /** Tolerates files that vanish during the walk: the embedded brokers create and delete files all the time. */
    private static final class Tightening extends SimpleFileVisitor<Path> {
        private final Path except;
        private int changed;

        Tightening(Path except) {
            this.except = except;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
            if (folder.toAbsolutePath().equals(except)) {
                return FileVisitResult.SKIP_SUBTREE;
            }
            tighten(folder);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            if (attributes.isRegularFile()) {
                tighten(file);
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE;
            }
            throw e;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, IOException e) throws IOException {
            return visitFileFailed(folder, e == null ? new NoSuchFileException(folder.toString()) : e);
        }

        private void tighten(Path path) throws IOException {
            try {
                Set<PosixFilePermission> rights = new HashSet<>(
                        Files.readAttributes(path, PosixFileAttributes.class).permissions());
                if (rights.removeAll(OTHERS_RIGHTS)) {
                    Files.setPosixFilePermissions(path, rights);
                    changed++;
                }
            } catch (NoSuchFileException e) {
                // The file was deleted during the walk.
                return;
            }
        }
    }
}
