package io.caravanserai.flow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;

/** The folder where people keep the flow files, and the folder of their Kamelets. */
final class FlowFolder {
    private static final int LARGEST = 1024 * 1024;

    private final Path folder;
    private final Path kamelets;

    FlowFolder(Path folder, Path kamelets) {
        this.folder = folder;
        this.kamelets = kamelets;
    }

    /** What tells one state of a file from another without reading it. */
    record Stamp(Object key, long modified, long size) {
        /** Of a file that is there but cannot be looked at. */
        static final Stamp UNREADABLE = new Stamp(null, 0, -2);
    }

    /**
     * The files of flows and Kamelets, and their stamps. Hidden files, which editors and this class write on the way, are
     * not among them.
     *
     * @throws UncheckedIOException when a folder cannot be read, or that of the flows is not there: then nothing is
     *     known of the files, least of all that they are deleted
     */
    Map<String, Stamp> files() {
        Map<String, Stamp> files = new TreeMap<>();
        list(folder, FlowVersion.ENDING, files);
        if (Files.isDirectory(kamelets)) {
            list(kamelets, Kamelets.ENDING, files);
        }
        return files;
    }

    private static void list(Path folder, String ending, Map<String, Stamp> files) {
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : (Iterable<Path>) entries::iterator) {
                String name = entry.getFileName().toString();
                if (name.endsWith(ending) && !name.startsWith(".")) {
                    stamp(entry, name, files);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the folder " + folder + " (hub.routes.dir) cannot be read: " + e, e);
        }
    }

    private static void stamp(Path entry, String name, Map<String, Stamp> files) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(entry, BasicFileAttributes.class);
            if (attributes.isRegularFile()) {
                files.put(
                        name,
                        new Stamp(
                                attributes.fileKey(),
                                attributes.lastModifiedTime().toMillis(),
                                attributes.size()));
            }
        } catch (NoSuchFileException e) {
            // Deleted between listing and looking: as if it had not been listed.
        } catch (IOException e) {
            // Such as a link to itself. What is wrong is told when it is read; the others must not suffer from it.
            files.put(name, Stamp.UNREADABLE);
        }
    }

    byte[] read(String file) throws IOException {
        return read((file.endsWith(Kamelets.ENDING) ? kamelets : folder).resolve(file));
    }

    /**
     * The bytes of a flow's or a Kamelet's file.
     *
     * @throws IOException also when it is larger than any such file
     */
    static byte[] read(Path file) throws IOException {
        if (Files.size(file) > LARGEST) {
            throw new IOException("it is larger than 1 MiB");
        }
        return Files.readAllBytes(file);
    }

    /**
     * Replaces the file of a flow at once: whoever reads it sees the old text or the new one, never a part. A link stays
     * a link; what it leads to is replaced.
     */
    void write(String file, String text) throws IOException {
        Path path = folder.resolve(file);
        Path target = Files.exists(path) ? path.toRealPath() : path;
        Path temporary = target.resolveSibling("." + file + "." + UUID.randomUUID());
        try {
            Files.writeString(temporary, text);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }
}
