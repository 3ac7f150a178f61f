package io.caravanserai.flow.yaml;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * An accepted text of a flow file, with the Kamelets of the flow. Immutable.
 * @param file file name, for example {@code order-queue.camel.yaml}
 * @param version counted from 1 for each file
 * @param hash SHA-256 of the text and of the Kamelets, lower-case hex
 * @param folderHash hash of the content of the folders at acceptance; differs from hash after a rollback to Kamelets
 *     that were edited since
 * @param kamelets texts by name of the Kamelets that the flow uses, also indirectly
 * @param who {@code folder}, or the name of the API key
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
    /** The ending of every flow file name. */
    public static final String ENDING = ".camel.yaml";

    /** Returns the name of the flow: the file name without the ending. */
    public String flow() {
        return flowOf(file);
    }

    /** Whether a text is a valid name of a flow file. */
    public static boolean isFileName(String file) {
        return file.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
                && file.endsWith(ENDING)
                && file.length() > ENDING.length();
    }

    /** Returns the flow of a file name. */
    public static String flowOf(String file) {
        return file.endsWith(ENDING) ? file.substring(0, file.length() - ENDING.length()) : file;
    }

    /** Returns the file name of a flow. */
    public static String fileOf(String flow) {
        return flow + ENDING;
    }

    /** Creates a candidate for a version, with the number 0. */
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
