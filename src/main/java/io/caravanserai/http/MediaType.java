package io.caravanserai.http;

import java.util.List;
import java.util.Locale;

/** Compares Content-Type values. */
final class MediaType {

    private MediaType() {}

    /** Whether a Content-Type is one of these types; of its parameters only a charset other than UTF-8 matters. */
    static boolean isOneOf(List<String> types, String contentType) {
        String[] parts = contentType.toLowerCase(Locale.ROOT).split(";");
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].trim();
            if (parameter.startsWith("charset=")
                    && !List.of("utf-8", "\"utf-8\"", "us-ascii").contains(parameter.substring("charset=".length()))) {
                return false;
            }
        }
        return types.contains(parts[0].trim());
    }
}
