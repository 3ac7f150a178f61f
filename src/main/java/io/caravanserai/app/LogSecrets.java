package io.caravanserai.app;

import java.util.regex.Pattern;

/**
 * Hides passwords in log lines. Libraries log passwords at DEBUG; for example the Artemis client logs the whole URL of
 * {@code hub.jms.url}. Thread-safe.
 */
final class LogSecrets {
    /** The value of a password assignment, up to the next separator of a URL, a list or a quotation. */
    private static final Pattern ASSIGNED = Pattern.compile(
            "((?:password|passwd|secret)\\s?=\\s?)(?:\\\\?\"[^\"\\\\]*+\\\\?\"|[^\\s&,;\"'\\\\)\\]}]++)",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern IN_URL = Pattern.compile("(://[^/\\s:@\"]{1,100}:)[^@\\s/\"]{1,100}@");

    private LogSecrets() {}

    /** Returns the text with three asterisks for each password. */
    static String hide(String text) {
        String hidden = ASSIGNED.matcher(text).replaceAll("$1***");
        return hidden.contains("://") ? IN_URL.matcher(hidden).replaceAll("$1***@") : hidden;
    }
}
