package io.caravanserai.kafka;

import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/** The name under which the consumer groups know this hub. */
public final class GroupInstanceId {
    /** What the names of hubs begin with. */
    public static final String PREFIX = "hub-";

    private GroupInstanceId() {}

    /**
     * The name kept in the hub's data folder, made at the first start. A hub that comes back after a crash under its old
     * name gets its partitions at once; under a new one it would wait until the brokers had given the old one up.
     */
    public static String of(Path dataDir) throws IOException {
        Path file = dataDir.resolve("kafka-member");
        if (!Files.exists(file) || Files.size(file) == 0) {
            PrivateFiles.createFolder(dataDir);
            PrivateFiles.createFile(file);
            Files.writeString(file, PREFIX + UUID.randomUUID());
        }
        return Files.readString(file).strip();
    }
}
