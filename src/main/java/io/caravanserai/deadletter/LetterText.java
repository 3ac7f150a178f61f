package io.caravanserai.deadletter;

import io.caravanserai.support.Digests;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Makes text from senders storable: replaces characters that some databases reject and limits the length. */
final class LetterText {
    private static final int MAX_HEADER_VALUE = 100_000;
    private static final int MAX_HEADER_NAME = 1_000;
    /** Maximum total of characters of all headers. */
    private static final int MAX_HEADERS = 256 * 1024;

    private static final String HEADERS_LEFT_OUT = "headers-left-out";
    private static final int DIGEST = 17;

    private LetterText() {}

    /** Whether a text contains neither the character 0 nor unpaired surrogates. */
    static boolean isStorable(String text) {
        return text.codePoints()
                .noneMatch(each -> each == 0 || each >= Character.MIN_SURROGATE && each <= Character.MAX_SURROGATE);
    }

    /**
     * The storable text: U+FFFD replaces each unstorable character, a digest replaces the part beyond the maximum
     * length. Null for null.
     */
    static String bounded(String text, int maxLength) {
        if (text == null) {
            return null;
        }
        String storable = storable(text);
        return storable.length() <= maxLength
                ? storable
                : storable(storable.substring(0, maxLength - DIGEST))
                        + '~'
                        + Digests.shortSha256(text.getBytes(StandardCharsets.UTF_8));
    }

    static Map<String, String> storable(Map<String, String> headers) {
        Map<String, String> kept = new LinkedHashMap<>();
        int characters = 0;
        int leftOut = 0;
        for (Map.Entry<String, String> header : headers.entrySet()) {
            String name = bounded(header.getKey(), MAX_HEADER_NAME);
            String value = bounded(header.getValue(), MAX_HEADER_VALUE);
            characters += name.length() + (value == null ? 0 : value.length());
            if (characters > MAX_HEADERS) {
                leftOut++;
            } else if (!name.equals(DeadLetter.BODY_LEFT_OUT) && !name.equals(HEADERS_LEFT_OUT)) {
                kept.put(name, value);
            }
        }
        if (leftOut > 0) {
            kept.put(HEADERS_LEFT_OUT, String.valueOf(leftOut));
        }
        return kept;
    }

    /** The placeholder for a body that is too large to store: size and digest. */
    static String leftOut(String size, byte[] bytes) {
        return size + ", SHA-256 begins " + Digests.shortSha256(bytes);
    }

    private static String storable(String text) {
        if (isStorable(text)) {
            return text;
        }
        StringBuilder kept = new StringBuilder(text.length());
        text.codePoints()
                .map(each -> isStorable(Character.toString(each)) ? each : 0xfffd)
                .forEach(kept::appendCodePoint);
        return kept.toString();
    }
}
