package io.caravanserai.http;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Compares Content-Type values. */
final class MediaType {

    /** RFC 9110, section 5.6.4; a semicolon in it separates nothing. */
    private static final Pattern QUOTED = Pattern.compile("\"[^\"]*+\"");

    private static final List<String> CHARSETS = List.of("utf-8", "\"utf-8\"", "us-ascii", "\"us-ascii\"");

    private MediaType() {}

    /** Whether a Content-Type is one of these types; of its parameters only a charset other than UTF-8 matters. */
    static boolean isOneOf(List<String> types, String contentType) {
        String[] parts = QUOTED.matcher(contentType.toLowerCase(Locale.ROOT))
                .replaceAll(quoted -> quoted.group().replace(';', ','))
                .split(";");
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].trim();
            int equals = parameter.indexOf('=');
            boolean isCharset =
                    equals > 0 && parameter.substring(0, equals).trim().equals("charset");
            if (isCharset && !CHARSETS.contains(parameter.substring(equals + 1).trim())) {
                return false;
            }
        }
        return types.contains(parts[0].trim());
    }
}
