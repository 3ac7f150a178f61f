package io.caravanserai.kafka;

import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/** The id of this hub as a static member of consumer groups. */
public final class GroupInstanceId {
    /** Prefix of all hubs' ids. */
    public static final String PREFIX = "hub-";

    private GroupInstanceId() {}

    /**
     * The id in the hub's data folder, created at the first start. After a crash, a hub with the same id gets the
     * partitions back at once; with a new id, the hub would wait until the brokers had given up the old member.
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
