package io.caravanserai.broker;

import io.caravanserai.support.PrivateFiles;
import io.caravanserai.support.SyncedFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.MetadataVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data folder of an embedded Kafka broker. Formatting is atomic: a power cut leaves the folder whole or absent.
 */
final class KafkaFolder {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaFolder.class);
    private static final String PROPERTIES = "meta.properties";
    private static final String BOOTSTRAP = "bootstrap.checkpoint";

    /** The controller's log: lists the topics, holds no client's records. */
    private static final String METADATA_LOG = "__cluster_metadata-0";

    private final Path folder;
    private final int node;

    KafkaFolder(Path folder, int node) {
        this.folder = folder;
        this.node = node;
    }

    /**
     * Formats the folder if missing, or if half-formatted and without records.
     *
     * @throws IOException if the folder cannot be written, or holds records while {@code meta.properties} is missing or
     *     empty
     */
    void prepare() throws IOException {
        if (Files.exists(folder) && isHalfFormatted()) {
            if (!hasRecords()) {
                LOG.atWarn()
                        .addKeyValue("folder", folder)
                        .log("Kafka folder is half-formatted and holds no records; formatting again");
                SyncedFiles.deleteAll(folder);
            } else if (isEmpty(PROPERTIES)) {
                throw new IOException(folder + " (hub.data.dir) holds records, but its " + PROPERTIES
                        + " is missing or empty: restore that file, or move the folder away to start without records");
            } else {
                // Kafka reads this file only while the controller's log is empty.
                Files.deleteIfExists(folder.resolve(BOOTSTRAP));
            }
        }
        if (!Files.exists(folder)) {
            format();
        }
    }

    private boolean isHalfFormatted() throws IOException {
        return isEmpty(PROPERTIES) || isEmpty(BOOTSTRAP);
    }

    private boolean isEmpty(String name) throws IOException {
        Path file = folder.resolve(name);
        return !Files.exists(file) || Files.size(file) == 0;
    }

    private boolean hasRecords() throws IOException {
        try (Stream<Path> files = Files.walk(folder, 2)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".log")).toList()) {
                if (!file.startsWith(folder.resolve(METADATA_LOG)) && Files.size(file) > 0) {
                    return true;
                }
            }
        }
        return false;
    }

    private void format() throws IOException {
        Path forming = folder.resolveSibling(folder.getFileName() + ".forming");
        SyncedFiles.deleteAll(forming);
        PrivateFiles.createFolder(forming);
        try {
            new Formatter()
                    .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                    .setClusterId(Uuid.randomUuid().toString())
                    .setNodeId(node)
                    .setControllerListenerName("CONTROLLER")
                    .setSupportedFeatures(Feature.PRODUCTION_FEATURES)
                    .setReleaseVersion(MetadataVersion.latestProduction())
                    .setDirectories(List.of(forming.toString()))
                    .setMetadataLogDirectory(forming.toString())
                    .run();
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("cannot format " + forming, e);
        }
        SyncedFiles.syncAll(forming);
        SyncedFiles.rename(forming, folder);
    }
}
