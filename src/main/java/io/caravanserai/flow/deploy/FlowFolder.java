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

/** The folder where people keep the flow files, and the folder of their Kamelets. */
public final class FlowFolder {
    private static final Logger LOG = LoggerFactory.getLogger(FlowFolder.class);

    private final Path folder;
    private final Path kamelets;

    public FlowFolder(Path folder, Path kamelets) {
        this.folder = folder;
        this.kamelets = kamelets;
    }

    /**
     * What tells one state of a file from another.
     *
     * @param checksum of what is in it: an editor may keep inode, time and size; 0 of a file that is larger than a flow
     */
    public record Stamp(Object key, long modified, long size, long checksum) {
        /** Of a file that is there but cannot be looked at. */
        static final Stamp UNREADABLE = new Stamp(null, 0, -2, 0);
    }

    /**
     * The files of flows and Kamelets, and their stamps. Hidden files, which editors and this class write on the way, are
     * not among them.
     *
     * @throws UncheckedIOException when a folder cannot be read, or that of the flows is not there: then nothing is
     *     known of the files, least of all that they are deleted
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
            // Deleted between listing and looking: as if it had not been listed.
        } catch (IOException e) {
            // Such as a link to itself. What is wrong is told when it is read; the others must not suffer from it.
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

    /** A file as it was before it was written, to be put back when what was written does not come to run. */
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

    /** What the file of a flow holds now. */
    public Kept keep(String file) throws IOException {
        Path path = folder.resolve(file);
        return new Kept(path, Files.exists(path) ? Optional.of(Files.readAllBytes(path)) : Optional.empty());
    }

    public boolean exists(String file) {
        return Files.exists(folder.resolve(file), LinkOption.NOFOLLOW_LINKS);
    }

    /** Deletes the file of a flow; a link is deleted, not what it leads to. */
    public void delete(String file) throws IOException {
        Files.deleteIfExists(folder.resolve(file));
        sync(folder);
    }

    /** Keeps a change of names over a power cut. Some file systems cannot: then the names are kept when they are. */
    private static void sync(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, READ)) {
            channel.force(true);
        } catch (IOException e) {
            LOG.atDebug().addKeyValue("folder", folder).setCause(e).log("folder cannot be synced");
        }
    }

    /**
     * Replaces the file of a flow at once: whoever reads it sees the old text or the new one, never a part. A link stays
     * a link; what it leads to is replaced.
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
