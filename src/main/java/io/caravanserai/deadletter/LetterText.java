package io.caravanserai.deadletter;

import io.caravanserai.support.Digests;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Text of senders as it can be kept: not every text can be kept in every database, and none is kept without bounds. */
final class LetterText {
    private static final int LONGEST_HEADER = 100_000;
    private static final int MAX_HEADER_NAME = 1_000;
    /** Characters of all headers together. */
    private static final int MAX_HEADERS = 256 * 1024;

    private static final String HEADERS_LEFT_OUT = "headers-left-out";
    private static final int DIGEST = 17;

    private LetterText() {}

    /** Whether a text has neither the character 0 nor halves of surrogate pairs. */
    static boolean isCarriable(String text) {
        return text.codePoints()
                .noneMatch(each -> each == 0 || each >= Character.MIN_SURROGATE && each <= Character.MAX_SURROGATE);
    }

    /** The text, with U+FFFD for what cannot be kept, and a digest for what is beyond the longest; null of null. */
    static String bounded(String text, int longest) {
        if (text == null) {
            return null;
        }
        String carriable = carriable(text);
        return carriable.length() <= longest
                ? carriable
                : carriable(carriable.substring(0, longest - DIGEST))
                        + '~'
                        + Digests.shortSha256(text.getBytes(StandardCharsets.UTF_8));
    }

    static Map<String, String> carriable(Map<String, String> headers) {
        Map<String, String> kept = new LinkedHashMap<>();
        int characters = 0;
        int leftOut = 0;
        for (Map.Entry<String, String> header : headers.entrySet()) {
            String name = bounded(header.getKey(), MAX_HEADER_NAME);
            String value = bounded(header.getValue(), LONGEST_HEADER);
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

    /** What is told in place of something too large to be kept. */
    static String leftOut(String size, byte[] bytes) {
        return size + ", SHA-256 begins " + Digests.shortSha256(bytes);
    }

    private static String carriable(String text) {
        if (isCarriable(text)) {
            return text;
        }
        StringBuilder kept = new StringBuilder(text.length());
        text.codePoints()
                .map(each -> isCarriable(Character.toString(each)) ? each : 0xfffd)
                .forEach(kept::appendCodePoint);
        return kept.toString();
    }
}
