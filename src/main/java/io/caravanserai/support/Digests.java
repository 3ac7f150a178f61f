package io.caravanserai.support;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Digests of bytes, in lower-case hex. */
public final class Digests {
    private static final int SHORT_DIGITS = 16;

    private Digests() {}

    /** The SHA-256 of the concatenated parts, all 64 hex digits. */
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
            throw new IllegalStateException("this Java runtime has no SHA-256", e);
        }
    }

    /** The SHA-256 of the remaining bytes of a buffer, all 64 hex digits. The buffer is read to its end. */
    public static String sha256(ByteBuffer bytes) {
        MessageDigest digest = digest();
        digest.update(bytes);
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The first 16 hex digits of SHA-256. Tells different inputs apart unless an attacker crafts them. */
    public static String shortSha256(byte[]... parts) {
        return sha256(parts).substring(0, SHORT_DIGITS);
    }
}
