package io.caravanserai.http;

import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Percent-encoded text of URLs. */
final class UrlText {
    private UrlText() {}

    /** Whether decoding leaves the text unchanged, apart from plus signs. */
    static boolean isPlain(String encoded) {
        return encoded.chars().allMatch(each -> each < 0x80 && each != '%');
    }

    /**
     * Returns the decoded text; a plus stands for a space.
     * @throws IllegalArgumentException unless the text is percent-encoded UTF-8; the decoder of Java accepts any bytes
     */
    static String decode(String encoded) {
        byte[] bytes;
        try {
            // An unencoded character stands for one byte of the request line.
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
