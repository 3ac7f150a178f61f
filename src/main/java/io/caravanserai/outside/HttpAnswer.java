package io.caravanserai.outside;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;

/**
 * Evaluates the response of an HTTP service.
 * @param headers names in lower case
 */
record HttpAnswer(int status, String reason, Map<String, String> headers, byte[] body) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    /** RFC 9110, 15.3.3: the service may still refuse. */
    private static final int ACCEPTED = 202;

    private static final Set<Integer> TRANSIENT = Set.of(408, 425, 429);
    private static final Set<Integer> DECISIONS = Set.of(402, 403, 409, 422);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final int LONGEST_QUOTE = 200;
    private static final Pattern CHARSET = Pattern.compile("charset=\"?([A-Za-z0-9_.:-]+)");
    private static final Pattern PAGE = Pattern.compile("\\s*<(?:!doctype\\s+html|html)\\b.*", Pattern.DOTALL);

    /** Returns the result of the call, given the statuses that count as an answer. */
    CallResult judge(AcceptedStatuses accepted, Instant now) {
        if (status == ACCEPTED && !accepted.names(ACCEPTED)) {
            return new CallResult.Pending(told() + ", which is no decision yet", retryAfter(now));
        }
        if (accepted.contains(status)) {
            return fault().<CallResult>map(fault -> new CallResult.Failed("answered " + status + " with " + fault))
                    .orElseGet(() -> new CallResult.Answered(content(), variables()));
        }
        if (status >= 500 || TRANSIENT.contains(status)) {
            return new CallResult.Failed(told(), retryAfter(now));
        }
        return new CallResult.Refused(told(), DECISIONS.contains(status));
    }

    /** Returns why the response is not from the service; empty for a valid response. */
    private Optional<String> fault() {
        if (body.length == 0) {
            return Optional.empty();
        }
        if (type().contains("json")) {
            try {
                JSON.readTree(body);
                return Optional.empty();
            } catch (JsonProcessingException e) {
                return Optional.of("JSON that is not whole");
            } catch (java.io.IOException e) {
                return Optional.of("JSON that cannot be read");
            }
        }
        // A proxy or a login page in front of the service answers with HTML.
        String begin = new String(body, 0, Math.min(body.length, LONGEST_QUOTE), StandardCharsets.ISO_8859_1);
        return PAGE.matcher(begin.toLowerCase(Locale.ROOT)).matches()
                ? Optional.of("a page for browsers")
                : Optional.empty();
    }

    private String type() {
        return headers.getOrDefault("content-type", "").toLowerCase(Locale.ROOT);
    }

    private Object content() {
        if (body.length == 0) {
            return null;
        }
        boolean text = type().isEmpty() || type().startsWith("text/") || type().matches(".*(json|xml|form).*");
        return text ? new String(body, charset()) : body;
    }

    private Charset charset() {
        Matcher charset = CHARSET.matcher(headers.getOrDefault("content-type", ""));
        try {
            return charset.find() ? Charset.forName(charset.group(1)) : StandardCharsets.UTF_8;
        } catch (IllegalArgumentException e) {
            return StandardCharsets.UTF_8;
        }
    }

    private Map<String, Object> variables() {
        Map<String, Object> all = new HashMap<>();
        headers.forEach((name, value) -> {
            if (!name.startsWith("camel") && !name.startsWith("caravanserai")) {
                all.put(name, value);
            }
        });
        all.put(Exchange.HTTP_RESPONSE_CODE, status);
        all.put(Exchange.HTTP_RESPONSE_TEXT, reason);
        Optional.ofNullable(headers.get("content-type")).ifPresent(type -> all.put(Exchange.CONTENT_TYPE, type));
        return all;
    }

    private String told() {
        String text =
                String.valueOf(content() instanceof String string ? string : "").strip();
        String quote = text.length() > LONGEST_QUOTE ? text.substring(0, LONGEST_QUOTE) + "..." : text;
        return "answered " + status + (quote.isEmpty() ? "" : ": " + quote);
    }

    /** RFC 9110, 10.2.3: seconds or a date. */
    private Duration retryAfter(Instant now) {
        String text = headers.getOrDefault("retry-after", "").strip();
        Duration wanted = Duration.ZERO;
        if (text.matches("[0-9]{1,9}")) {
            wanted = Duration.ofSeconds(Long.parseLong(text));
        } else if (!text.isEmpty()) {
            try {
                wanted = Duration.between(
                        now,
                        ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)
                                .toInstant());
            } catch (DateTimeParseException e) {
                return Duration.ZERO;
            }
        }
        if (wanted.isNegative()) {
            return Duration.ZERO;
        }
        return wanted.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : wanted;
    }
}
