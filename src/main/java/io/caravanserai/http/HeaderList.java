package io.caravanserai.http;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits header fields with lists (RFC 9110, section 5.6.1). A separator inside double quotes is part of an element.
 * Elements are stripped of surrounding white space; empty elements are dropped. An unclosed quote extends to the end of
 * the field value.
 */
public final class HeaderList {
    private HeaderList() {}

    /**
     * Returns the elements of a list with backslash escapes in quoted strings, RFC 9110, section 5.6.4.
     * @param values the values of all fields of the name, as received
     */
    public static List<String> elements(List<String> values) {
        List<String> elements = new ArrayList<>();
        values.forEach(value -> split(value, ',', true, elements));
        return List.copyOf(elements);
    }

    /**
     * Returns the elements of a list of entity tags. A backslash in a tag is a character of the tag, RFC 9110, section
     * 8.8.3.
     * @param values the values of all fields of the name, as received
     */
    public static List<String> entityTags(List<String> values) {
        List<String> tags = new ArrayList<>();
        values.forEach(value -> split(value, ',', false, tags));
        return List.copyOf(tags);
    }

    /**
     * Returns the value before the first semicolon, then each parameter; a semicolon in a quoted string is no
     * separator.
     */
    static List<String> parameters(String value) {
        List<String> parts = new ArrayList<>();
        split(value, ';', true, parts);
        return List.copyOf(parts);
    }

    private static void split(String value, char separator, boolean hasEscapes, List<String> parts) {
        boolean isQuoted = false;
        int from = 0;
        for (int at = 0; at < value.length(); at++) {
            char next = value.charAt(at);
            if (next == '"') {
                isQuoted = !isQuoted;
            } else if (next == '\\' && isQuoted && hasEscapes) {
                at++;
            } else if (next == separator && !isQuoted) {
                add(value.substring(from, at), parts);
                from = at + 1;
            }
        }
        add(value.substring(from), parts);
    }

    private static void add(String part, List<String> parts) {
        if (!part.isBlank()) {
            parts.add(part.strip());
        }
    }
}
