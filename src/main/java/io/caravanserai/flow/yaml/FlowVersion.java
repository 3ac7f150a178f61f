package io.caravanserai.flow.yaml;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * One accepted text of a flow file, with the Kamelets it names. Never changes once accepted.
 *
 * @param file the file's name, such as {@code order-queue.camel.yaml}
 * @param version counted from 1 for each file
 * @param hash SHA-256 of the text and of the Kamelets, lower-case hex
 * @param folderHash the hash of what the folders held when it was accepted: after a rollback to Kamelets that have been
 *     edited since, another than its own
 * @param kamelets the texts of the Kamelets that it names, and of those that these name, by name
 * @param who {@code folder}, or the name of the key that sent it
 */
public record FlowVersion(
        String file,
        int version,
        String hash,
        String folderHash,
        String text,
        Map<String, String> kamelets,
        String who,
        Instant at) {
    /** What the name of every flow file ends with. */
    public static final String ENDING = ".camel.yaml";

    /** The flow's name: that of the file without its ending. */
    public String flow() {
        return flowOf(file);
    }

    /** The flow of a file's name. */
    public static String flowOf(String file) {
        return file.endsWith(ENDING) ? file.substring(0, file.length() - ENDING.length()) : file;
    }

    /** The file of a flow's name. */
    public static String fileOf(String flow) {
        return flow + ENDING;
    }

    /** What may become a version; its number is 0. */
    public static FlowVersion candidate(String file, String text, Map<String, String> kamelets) {
        String hash = hashOf(text, kamelets);
        return new FlowVersion(file, 0, hash, hash, text, kamelets, "", Instant.EPOCH);
    }

    private static String hashOf(String text, Map<String, String> kamelets) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(text.getBytes(StandardCharsets.UTF_8));
            new TreeMap<>(kamelets)
                    .forEach((name, kamelet) ->
                            digest.update(("\0" + name + "\0" + kamelet).getBytes(StandardCharsets.UTF_8)));
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
