package io.caravanserai.intake;

import io.caravanserai.http.HeaderList;
import io.caravanserai.http.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How long a sender wants to wait (RFC 7240).
 * @param answerWithin zero for an answer as soon as the order is durable
 * @param applied the value of Preference-Applied; empty without a preference
 */
record PreferHeader(Duration answerWithin, Optional<String> applied) {
    /** No proxy or client keeps a connection open for longer. */
    private static final long LONGEST_SECONDS = 300;

    private static final Pattern WAIT = Pattern.compile("wait\\s*=\\s*\"?(\\d{1,9})\"?(\\s*;.*)?");
    private static final Pattern ASYNC = Pattern.compile("respond-async(\\s*[=;].*)?");

    /** @param usual the wait without a preference */
    static PreferHeader of(Request request, Duration usual) {
        Long seconds = null;
        boolean async = false;
        for (String element : HeaderList.elements(request.headers("Prefer"))) {
            String preference = element.toLowerCase(Locale.ROOT);
            Matcher wait = WAIT.matcher(preference);
            if (wait.matches() && seconds == null) {
                seconds = Math.min(Long.parseLong(wait.group(1)), LONGEST_SECONDS);
            }
            async |= ASYNC.matcher(preference).matches();
        }
        List<String> applied = new ArrayList<>();
        if (async) {
            applied.add("respond-async");
        }
        if (seconds != null) {
            applied.add("wait=" + seconds);
        }
        Duration asked = async ? Duration.ZERO : usual;
        return new PreferHeader(
                seconds == null ? asked : Duration.ofSeconds(seconds),
                applied.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", applied)));
    }
}
