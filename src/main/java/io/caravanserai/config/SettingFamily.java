package io.caravanserai.config;

import java.util.Optional;
import java.util.function.BiFunction;

/**
 * Settings with a common prefix and a name at the end of the key, for example {@code hub.log.level.<package>}.
 * Immutable.
 * @param prefix of the keys, including the last dot
 * @param placeholder of the name in texts, for example {@code <package>}
 * @param example name and value for {@code application.properties}, for example {@code org.apache.camel=info}
 * @param meaning in Markdown, one line
 * @param parser converts name and text to a value; throws {@link UnreadableValueException}
 * @param <T> type of a value
 */
record SettingFamily<T>(
        String prefix, String placeholder, String example, String meaning, BiFunction<String, String, T> parser) {

    /** Returns the name in a key; empty for a key of another setting and for the prefix alone. */
    Optional<String> nameIn(String key) {
        return key.startsWith(prefix) && key.length() > prefix.length()
                ? Optional.of(key.substring(prefix.length()))
                : Optional.empty();
    }
}
