package io.caravanserai.process;

import io.caravanserai.support.Digests;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What tells a message from all others, and is the same at every delivery of it.
 *
 * @param text such as {@code jms:ID:...}. Another message may have it nevertheless: a sender may give an id twice, and
 *     brokers that have lost their messages begin to count anew. So a name counts only together with the body
 * @param earlier by which earlier versions of the hub knew the message; empty when they knew it by the same
 */
public record MessageName(String text, Optional<String> earlier) {
    private static final int LONGEST = 300;

    public MessageName {
        String name = bounded(text);
        text = name;
        earlier = earlier.map(MessageName::bounded).filter(other -> !other.equals(name));
    }

    /** The name of a message that earlier versions of the hub knew by the same. */
    public static MessageName of(String text) {
        return new MessageName(text, Optional.empty());
    }

    /** The name for a message whose plain name another message has, with another body. */
    public String withBody(String fingerprint) {
        return text + '#' + fingerprint;
    }

    private static String bounded(String text) {
        return text.length() <= LONGEST
                ? text
                : text.substring(0, LONGEST / 2) + '~' + Digests.sha256(text.getBytes(StandardCharsets.UTF_8));
    }
}
