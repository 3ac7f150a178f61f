package io.caravanserai.config;

import java.util.Locale;
import java.util.function.Function;

/**
 * One setting: its key, its default, what it means, and how its text becomes a value. All settings are declared in
 * {@link Settings}. Immutable.
 *
 * @param <T> type of the value
 */
public final class Setting<T> {
    private final String key;
    private final String defaultText;
    private final String meaning;
    private final Function<String, T> parser;

    /**
     * @param defaultText the text that holds when the setting is not set; the parser must accept it
     * @param meaning in Markdown, one line, for the README and for {@code application.properties}
     * @param parser throws {@link UnreadableValueException} for a text that is no value of this setting
     */
    Setting(String key, String defaultText, String meaning, Function<String, T> parser) {
        this.key = key;
        this.defaultText = defaultText;
        this.meaning = meaning;
        this.parser = parser;
    }

    public String key() {
        return key;
    }

    String defaultText() {
        return defaultText;
    }

    String meaning() {
        return meaning;
    }

    /** @throws UnreadableValueException when the text is no value of this setting */
    T parse(String text) {
        return parser.apply(text);
    }

    /** The name of the environment variable of a key: {@code HUB_HTTP_PORT} for {@code hub.http.port}. */
    static String variable(String key) {
        return key.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
    }
}
