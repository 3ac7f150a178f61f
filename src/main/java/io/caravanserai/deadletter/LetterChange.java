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
 * What an operator changes of a dead letter before it is sent again. The letter keeps its id and its origin, for the
 * origin identifies the message: changed or not, the message has one effect.
 *
 * @param body the new body, as text; empty keeps the body
 * @param headers new values by name; an empty value takes the header away, other headers stay
 */
public record LetterChange(Optional<String> body, Map<String, Optional<String>> headers) {
    /** Characters of a value: what {@link LetterText} keeps whole. */
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

    /** Whether nothing is changed. */
    public boolean isEmpty() {
        return body.isEmpty() && headers.isEmpty();
    }

    /** Whether a header tells the broker or the hub which message it is, so that nobody may change it. */
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

    /** A header that may not have the value it is given; letters are often sent back with all their headers. */
    Optional<String> refusedHeader(Map<String, String> before) {
        return headers.entrySet().stream()
                .filter(header -> isFixed(header.getKey())
                        && !header.getValue().equals(Optional.ofNullable(before.get(header.getKey()))))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    private Map<String, String> changed(Map<String, String> before) {
        // As Kafka and HTTP clients write them: two spellings of one name would be two headers.
        Map<String, String> spellings = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        before.keySet().forEach(name -> spellings.put(name, name));
        Map<String, String> after = new LinkedHashMap<>(before);
        headers.forEach((name, value) -> {
            after.remove(spellings.getOrDefault(name, name));
            value.ifPresent(text -> after.put(name, text));
        });
        return LetterText.carriable(after);
    }

    /** Changes the letter, and keeps what it was as a letter that is done with; answers the id of that. */
    String apply(Transaction tx, DeadLetter letter, Supplier<String> ids, Instant now) throws SQLException {
        String original = ids.get();
        tx.update(KEEP_ORIGINAL, original, "original:" + original, now, letter.id());
        // Later than before, so that an end of an earlier replay that comes late does not settle the changed letter.
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
