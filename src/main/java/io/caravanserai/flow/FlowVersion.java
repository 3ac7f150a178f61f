package io.caravanserai.flow;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;

/**
 * One accepted text of a flow file. Never changes once accepted.
 *
 * @param file the file's name, such as {@code order-queue.camel.yaml}
 * @param version counted from 1 for each file
 * @param hash SHA-256 of the text, lower-case hex
 * @param who {@code folder}, or the name of the key that sent it
 */
public record FlowVersion(String file, int version, String hash, String text, String who, Instant at) {
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

    static String hashOf(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
