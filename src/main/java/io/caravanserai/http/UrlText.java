package io.caravanserai.http;

import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Percent-encoded text of URLs. */
final class UrlText {
    private UrlText() {}

    /** Whether the text is the same when it is decoded, but for plus signs. */
    static boolean isPlain(String encoded) {
        return encoded.chars().allMatch(each -> each < 0x80 && each != '%');
    }

    /**
     * The text as it was before it was encoded; a plus is a space.
     *
     * @throws IllegalArgumentException unless it is percent-encoded UTF-8; Java's own decoder takes any bytes
     */
    static String decode(String encoded) {
        byte[] bytes;
        try {
            // A character as it is stands for one byte of the request line.
            bytes = URLDecoder.decode(encoded, StandardCharsets.ISO_8859_1).getBytes(StandardCharsets.ISO_8859_1);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("a percent sign must be followed by two hexadecimal digits", e);
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("it is not UTF-8", e);
        }
    }
}
