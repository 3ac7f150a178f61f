package io.caravanserai.intake;

import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import java.util.List;
import java.util.Optional;

/** How senders write idempotency keys: a string of RFC 8941 in quotes, as the draft has it, or bare. */
final class IdempotencyKey {
    static final String RULE = "must be 1 to 255 printable ASCII characters, in double quotes or bare";

    private static final String HEADER = "Idempotency-Key";
    private static final int LONGEST = 255;

    private IdempotencyKey() {}

    /** The key without its quotes; empty when the text breaks {@link #RULE}. */
    static Optional<String> read(String text) {
        // Each character of a key is written as two at most, within two quotes.
        if (text.length() > 2 * LONGEST + 2) {
            return Optional.empty();
        }
        boolean quoted = text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"");
        Optional<String> key = quoted
                ? unquoted(text.substring(1, text.length() - 1))
                : Optional.of(text)
                        .filter(bare -> bare.chars().allMatch(each -> each > ' ' && each <= '~' && each != '"'));
        return key.filter(each -> !each.isEmpty() && each.length() <= LONGEST);
    }

    /** A string of RFC 8941 without its quotes: printable ASCII, with a backslash before quotes and backslashes. */
    private static Optional<String> unquoted(String text) {
        StringBuilder key = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char each = text.charAt(i);
            if (each == '\\') {
                i++;
                if (i == text.length() || text.charAt(i) != '"' && text.charAt(i) != '\\') {
                    return Optional.empty();
                }
                each = text.charAt(i);
            } else if (each < ' ' || each > '~' || each == '"') {
                return Optional.empty();
            }
            key.append(each);
        }
        return Optional.of(key.toString());
    }

    /**
     * The key of a request; empty when it has none.
     *
     * @throws io.caravanserai.http.ProblemException 400, when it cannot be read
     */
    static Optional<String> of(Request request) {
        List<String> values = request.headers(HEADER);
        if (values.isEmpty()) {
            return Optional.empty();
        }
        if (values.size() > 1) {
            throw Problem.badParameter(HEADER, "given more than once").asException();
        }
        Optional<String> key = read(values.get(0).trim());
        if (key.isEmpty()) {
            throw Problem.badParameter(HEADER, RULE).asException();
        }
        return key;
    }
}
