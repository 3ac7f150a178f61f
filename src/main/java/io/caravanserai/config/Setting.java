package io.caravanserai.config;

import java.util.Locale;
import java.util.function.Function;

/**
 * A setting: key, default, meaning, and parser of the text. {@link Settings} declares all settings. Immutable.
 * @param <T> type of the value
 */
public final class Setting<T> {
    private final String key;
    private final String defaultText;
    private final String meaning;
    private final Function<String, T> parser;

    /**
     * @param defaultText the text of an absent setting; the parser must accept the text
     * @param meaning in Markdown, one line, for the README and for {@code application.properties}
     * @param parser throws {@link UnreadableValueException} for an invalid text
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

    /** @throws UnreadableValueException for an invalid text */
    T parse(String text) {
        return parser.apply(text);
    }

    /** Returns the environment variable of a key: {@code HUB_HTTP_PORT} for {@code hub.http.port}. */
    static String variable(String key) {
        return key.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
    }
}
