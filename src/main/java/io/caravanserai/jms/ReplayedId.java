package io.caravanserai.jms;

import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.Seals;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The id of a message that the broker gave up, on the replay of that message. The broker may give up a message after the
 * hub has taken the order in it, because acknowledgements were lost with broken connections. With the id, the replay
 * counts as the same message. A seal of the hub protects the id, because any client can set the property.
 */
public final class ReplayedId {
    private static final String ID = "deadLetterMessageId";
    private static final String SEAL = "deadLetterMessageIdSeal";

    /** Distinguishes the seal of an id from the seal of a dead letter's origin. */
    private static final String SEALED = "message-id:";

    private static final String NUMBERED = "number:";

    private ReplayedId() {}

    /** The id by which the hub knew the message in the queue that the message came from. */
    static String of(Map<String, String> headers) {
        String id = ReceivedMessage.senderId(headers);
        String number = headers.get(BrokerDlqReplayer.ORIGINAL_NUMBER);
        // In DLQ the message has another number.
        return id.startsWith(NUMBERED) && number != null ? NUMBERED + number + id.substring(id.indexOf('@')) : id;
    }

    static CompletableFuture<String> seal(Seals seals, DeadLetter letter) {
        return seals.of(letter, SEALED + of(letter.headers()));
    }

    static void putOn(Message message, DeadLetter letter, String seal) throws JMSException {
        message.setStringProperty(ID, of(letter.headers()));
        message.setStringProperty(SEAL, seal);
    }

    /** The id of the first delivery, if a hub on this store has sent the message as a replay. */
    public static CompletableFuture<Optional<String>> in(Seals seals, Map<String, String> headers, byte[] body) {
        String id = headers.get(ID);
        return id == null
                ? CompletableFuture.completedFuture(Optional.empty())
                : seals.isGenuine(SEALED + id, headers.get(SEAL), body)
                        .thenApply(genuine -> genuine ? Optional.of(id) : Optional.empty());
    }
}
