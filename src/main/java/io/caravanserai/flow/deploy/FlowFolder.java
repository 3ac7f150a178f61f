package io.caravanserai.flow.deploy;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.caravanserai.flow.yaml.FlowText;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Kamelets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The folder of flow files, and the folder of Kamelets. */
public final class FlowFolder {
    private static final Logger LOG = LoggerFactory.getLogger(FlowFolder.class);

    private final Path folder;
    private final Path kamelets;

    public FlowFolder(Path folder, Path kamelets) {
        this.folder = folder;
        this.kamelets = kamelets;
    }

    /**
     * Distinguishes two states of a file.
     * @param checksum of the content, because an editor may keep inode, time and size; 0 for a file above the maximum
     *     size of a flow
     */
    public record Stamp(Object key, long modified, long size, long checksum) {
        /** A file that exists but cannot be read. */
        static final Stamp UNREADABLE = new Stamp(null, 0, -2, 0);
    }

    /**
     * Returns the stamps of flow and Kamelet files. Omits hidden files, which editors and this class use as temporary
     * files.
     * @throws UncheckedIOException when a folder cannot be read, or the folder of flows is missing; the files then do
     *     not count as deleted
     */
    public Map<String, Stamp> files() {
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
                                attributes.size(),
                                attributes.size() > FlowText.MAX_BYTES ? 0 : checksum(entry)));
            }
        } catch (NoSuchFileException e) {
            // Deleted between listing and reading: treated as not listed.
        } catch (IOException e) {
            // For example a link to itself. The read of the file reports the fault; other files must not be affected.
            files.put(name, Stamp.UNREADABLE);
        }
    }

    private static long checksum(Path file) throws IOException {
        CRC32C checksum = new CRC32C();
        checksum.update(Files.readAllBytes(file));
        return checksum.getValue();
    }

    public byte[] read(String file) throws IOException {
        return FlowText.read((file.endsWith(Kamelets.ENDING) ? kamelets : folder).resolve(file));
    }

    /** The content of a file before a write, to be restored when the new text does not start. */
    public record Kept(Path file, Optional<byte[]> bytes) {
        public void restore() {
            try {
                if (bytes.isPresent()) {
                    replace(file, bytes.get());
                } else {
                    Files.deleteIfExists(file);
                }
            } catch (IOException e) {
                LOG.atError()
                        .addKeyValue("file", file)
                        .setCause(e)
                        .log("the file of a refused flow could not be put back; write or delete it yourself");
            }
        }
    }

    /** Returns the current content of a flow file. */
    public Kept keep(String file) throws IOException {
        Path path = folder.resolve(file);
        return new Kept(path, Files.exists(path) ? Optional.of(Files.readAllBytes(path)) : Optional.empty());
    }

    public boolean exists(String file) {
        return Files.exists(folder.resolve(file), LinkOption.NOFOLLOW_LINKS);
    }

    /** Deletes a flow file. For a link deletes the link and not the target. */
    public void delete(String file) throws IOException {
        Files.deleteIfExists(folder.resolve(file));
        sync(folder);
    }

    /** Makes a rename or delete survive a power failure, if the file system supports the sync of folders. */
    private static void sync(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, READ)) {
            channel.force(true);
        } catch (IOException e) {
            LOG.atDebug().addKeyValue("folder", folder).setCause(e).log("folder cannot be synced");
        }
    }

    /**
     * Replaces a flow file atomically: readers see the old or the new text, never a part. For a link replaces the
     * target; the link stays.
     */
    public void write(String file, String text) throws IOException {
        replace(folder.resolve(file), text.getBytes(StandardCharsets.UTF_8));
    }

    private static void replace(Path path, byte[] bytes) throws IOException {
        Path target = Files.exists(path) ? path.toRealPath() : path;
        Path temporary = target.resolveSibling("." + path.getFileName() + "." + UUID.randomUUID());
        try {
            try (FileChannel channel = FileChannel.open(temporary, CREATE_NEW, WRITE)) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            sync(target.toAbsolutePath().getParent());
        } finally {
            Files.deleteIfExists(temporary);
        }
    }
}
