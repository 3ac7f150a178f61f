package io.caravanserai.process;

import io.caravanserai.support.Digests;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Identifies a message. All deliveries of the message have the same name.
 * @param text for example {@code jms:ID:...}. Two messages can share a name: a sender may reuse an id, and a broker
 *     that has lost all messages restarts the counter. So a name is compared only together with the body
 * @param earlier the name of the message in earlier versions of the hub; empty when the name is the same
 */
public record MessageName(String text, Optional<String> earlier) {
    private static final int LONGEST = 300;

    public MessageName {
        String name = bounded(text);
        text = name;
        earlier = earlier.map(MessageName::bounded).filter(other -> !other.equals(name));
    }

    /** Creates a name that earlier versions of the hub used as well. */
    public static MessageName of(String text) {
        return new MessageName(text, Optional.empty());
    }

    /** Returns the name of a message when a message with another body has the plain name. */
    public String withBody(String fingerprint) {
        return text + '#' + fingerprint;
    }

    private static String bounded(String text) {
        return text.length() <= LONGEST
                ? text
                : text.substring(0, LONGEST / 2) + '~' + Digests.sha256(text.getBytes(StandardCharsets.UTF_8));
    }
}
