package io.caravanserai.deadletter;

import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * A change to a dead letter by an operator before the replay. The dead letter keeps the id and the origin: the origin
 * identifies the message, so the message has one effect, changed or not.
 *
 * @param body the new body, as text; empty keeps the body
 * @param headers new values by name; an empty value removes the header, other headers stay
 */
public record LetterChange(Optional<String> body, Map<String, Optional<String>> headers) {
    /**
     * Maximum length of a header value in characters: the limit up to which {@link LetterText} stores a value
     * unshortened.
     */
    public static final int MAX_HEADER = 100_000;

    private static final String KEEP_ORIGINAL = """
            INSERT INTO dead_letters (id, origin, channel, source, type, reason, error, received_at, headers, body, base64,
              replays, settled_at)
            SELECT ?, ?, channel, source, type, reason, error, received_at, headers, body, base64, replays, ?
            FROM dead_letters WHERE id = ?
            """;
    private static final String CHANGE = """
            UPDATE dead_letters SET headers = ?, body = ?, base64 = ?, received_at = ? WHERE id = ?
            """;

    /** Whether this change is empty. */
    public boolean isEmpty() {
        return body.isEmpty() && headers.isEmpty();
    }

    /** Whether a header identifies the message for the broker or the hub. Operators cannot change a fixed header. */
    private static boolean isFixed(String header) {
        String name = header.toLowerCase(Locale.ROOT);
        return name.equals("jmsmessageid")
                || name.equals("jmsdestination")
                || name.equals("jmsxbrokermessagenumber")
                || name.equals("native_message_id")
                || name.startsWith("_")
                || name.startsWith("deadletter")
                || name.startsWith("dead-letter-")
                || name.startsWith("camel")
                || name.startsWith("caravanserai")
                || name.equals("long-running-action");
    }

    /**
     * The first fixed header with a changed value. Fixed headers with the old value are accepted, because clients often
     * send back all headers.
     */
    Optional<String> refusedHeader(Map<String, String> before) {
        return headers.entrySet().stream()
                .filter(header -> isFixed(header.getKey())
                        && !header.getValue().equals(Optional.ofNullable(before.get(header.getKey()))))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    private Map<String, String> changed(Map<String, String> before) {
        // Header names are compared without case, as Kafka and HTTP clients do: two spellings of one name must not
        // become two headers.
        Map<String, String> spellings = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        before.keySet().forEach(name -> spellings.put(name, name));
        Map<String, String> after = new LinkedHashMap<>(before);
        headers.forEach((name, value) -> {
            after.remove(spellings.getOrDefault(name, name));
            value.ifPresent(text -> after.put(name, text));
        });
        return LetterText.storable(after);
    }

    /** Changes the dead letter and stores the original as a settled dead letter; returns the id of the original. */
    String apply(Transaction tx, DeadLetter letter, Supplier<String> ids, Instant now) throws SQLException {
        String original = ids.get();
        tx.update(KEEP_ORIGINAL, original, "original:" + original, now, letter.id());
        // Later than the old time, so that a late result of an earlier replay does not settle the changed dead letter.
        Instant changedAt =
                now.isAfter(letter.receivedAt()) ? now : letter.receivedAt().plusMillis(1);
        tx.update(
                CHANGE,
                DeadLetters.write(changed(letter.headers())),
                body.orElse(letter.body()),
                body.isEmpty() && letter.base64(),
                changedAt,
                letter.id());
        return original;
    }
}
