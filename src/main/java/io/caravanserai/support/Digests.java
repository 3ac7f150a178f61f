package io.caravanserai.support;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Digests of bytes, in lower-case hex. */
public final class Digests {
    private static final int SHORT = 16;

    private Digests() {}

    /** All 64 digits of SHA-256 of the parts one behind the other. */
    public static String sha256(byte[]... parts) {
        MessageDigest digest = digest();
        for (byte[] part : parts) {
            digest.update(part);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** All 64 digits of SHA-256 of what remains in a buffer; reads it to its end. */
    public static String sha256(ByteBuffer bytes) {
        MessageDigest digest = digest();
        digest.update(bytes);
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The first 16 digits of SHA-256: enough to tell apart what is not made to look alike. */
    public static String shortSha256(byte[]... parts) {
        return sha256(parts).substring(0, SHORT);
    }
}
