package io.caravanserai.app;

import java.util.regex.Pattern;

/**
 * Hides passwords in lines of the log. Libraries write them at DEBUG: the client of Artemis its whole URL, with what {@code
 * hub.jms.url} says of the password. Thread-safe.
 */
final class LogSecrets {
    /** What a text assigns to a password, up to where a URL, a list or a quotation goes on. */
    private static final Pattern ASSIGNED = Pattern.compile(
            "((?:password|passwd|secret)\\s?=\\s?)(?:\\\\?\"[^\"\\\\]*+\\\\?\"|[^\\s&,;\"'\\\\)\\]}]++)",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern IN_URL = Pattern.compile("(://[^/\\s:@\"]{1,100}:)[^@\\s/\"]{1,100}@");

    private LogSecrets() {}

    /** The text, with three asterisks for each password. */
    static String hide(String text) {
        String hidden = ASSIGNED.matcher(text).replaceAll("$1***");
        return hidden.contains("://") ? IN_URL.matcher(hidden).replaceAll("$1***@") : hidden;
    }
}
