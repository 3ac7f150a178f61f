package io.caravanserai.ingress;

import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The header Idempotency-Key: a string of RFC 8941 in quotes, as the draft has it, or bare. */
final class IdempotencyKeyHeader {
    private static final String NAME = "Idempotency-Key";
    private static final int LONGEST = 255;
    private static final Pattern QUOTED = Pattern.compile("\"((?:[ !#-\\[\\]-~]|\\\\[\"\\\\])*)\"");
    private static final Pattern BARE = Pattern.compile("[!#-~]+");

    private IdempotencyKeyHeader() {}

    /**
     * The key; empty when there is no such header.
     *
     * @throws io.caravanserai.http.ProblemException 400, when it cannot be read
     */
    static Optional<String> of(Request request) {
        List<String> values = request.headers(NAME);
        if (values.isEmpty()) {
            return Optional.empty();
        }
        if (values.size() > 1) {
            throw Problem.badParameter(NAME, "given more than once").asException();
        }
        String value = values.get(0).trim();
        Matcher quoted = QUOTED.matcher(value);
        String key;
        if (quoted.matches()) {
            key = quoted.group(1).replaceAll("\\\\(.)", "$1");
        } else if (BARE.matcher(value).matches()) {
            key = value;
        } else {
            throw Problem.badParameter(NAME, "must be printable ASCII characters, in double quotes or bare")
                    .asException();
        }
        if (key.isEmpty() || key.length() > LONGEST) {
            throw Problem.badParameter(NAME, "must have 1 to " + LONGEST + " characters")
                    .asException();
        }
        return Optional.of(key);
    }
}
