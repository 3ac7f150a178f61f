package io.caravanserai.intake;

import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import java.util.List;
import java.util.Optional;

/** Parses idempotency keys: a quoted string of RFC 8941, as in the draft, or a bare text. */
final class IdempotencyKey {
    static final String RULE = "must be 1 to 255 printable ASCII characters, in double quotes or bare";

    private static final String HEADER = "Idempotency-Key";
    private static final int LONGEST = 255;

    private IdempotencyKey() {}

    /** Returns the key without quotes; empty when the text violates {@link #RULE}. */
    static Optional<String> read(String text) {
        // A key has at most two characters for each character, and two quotes.
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

    /** Returns a string of RFC 8941 without quotes: printable ASCII, with a backslash before quotes and backslashes. */
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
     * Returns the key of a request; empty when absent.
     * @throws io.caravanserai.http.ProblemException 400, for an invalid key
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
