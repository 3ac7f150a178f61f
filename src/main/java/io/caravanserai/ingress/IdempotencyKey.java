package io.caravanserai.ingress;

import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How senders write idempotency keys: a string of RFC 8941 in quotes, as the draft has it, or bare. */
final class IdempotencyKey {
    static final String RULE = "must be 1 to 255 printable ASCII characters, in double quotes or bare";

    private static final String HEADER = "Idempotency-Key";
    private static final int LONGEST = 255;
    private static final Pattern QUOTED = Pattern.compile("\"((?:[ !#-\\[\\]-~]|\\\\[\"\\\\])*)\"");
    private static final Pattern BARE = Pattern.compile("[!#-~]+");

    private IdempotencyKey() {}

    /** The key without its quotes; empty when the text breaks {@link #RULE}. */
    static Optional<String> read(String text) {
        Matcher quoted = QUOTED.matcher(text);
        Optional<String> key = quoted.matches()
                ? Optional.of(quoted.group(1).replaceAll("\\\\(.)", "$1"))
                : Optional.of(text).filter(BARE.asMatchPredicate());
        return key.filter(each -> !each.isEmpty() && each.length() <= LONGEST);
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
