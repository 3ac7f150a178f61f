package io.caravanserai.config;

import java.util.Optional;
import java.util.function.BiFunction;

/**
 * Settings whose keys share a prefix and end with a name, such as {@code hub.log.level.<package>}. Immutable.
 *
 * @param prefix of the keys, with the dot at its end
 * @param placeholder of the name in texts for people, such as {@code <package>}
 * @param example name and value for {@code application.properties}, such as {@code org.apache.camel=info}
 * @param meaning in Markdown, one line
 * @param parser makes a value of name and text; throws {@link UnreadableValueException}
 * @param <T> type of a value
 */
record SettingFamily<T>(
        String prefix, String placeholder, String example, String meaning, BiFunction<String, String, T> parser) {

    /** The name in a key; empty for keys of other settings and for the prefix alone. */
    Optional<String> nameIn(String key) {
        return key.startsWith(prefix) && key.length() > prefix.length()
                ? Optional.of(key.substring(prefix.length()))
                : Optional.empty();
    }
}
