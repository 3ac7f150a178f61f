package io.caravanserai.http;

import java.util.List;
import java.util.Locale;

/** Compares Content-Type values. */
final class MediaType {
    private static final List<String> CHARSETS = List.of("utf-8", "\"utf-8\"", "us-ascii", "\"us-ascii\"");

    private MediaType() {}

    /** Whether a Content-Type is one of the types. Among the parameters only a charset other than UTF-8 matters. */
    static boolean isOneOf(List<String> types, String contentType) {
        List<String> parts = HeaderList.parameters(contentType.toLowerCase(Locale.ROOT));
        for (int i = 1; i < parts.size(); i++) {
            String parameter = parts.get(i);
            int equals = parameter.indexOf('=');
            boolean isCharset =
                    equals > 0 && parameter.substring(0, equals).trim().equals("charset");
            if (isCharset && !CHARSETS.contains(parameter.substring(equals + 1).trim())) {
                return false;
            }
        }
        return !parts.isEmpty() && types.contains(parts.get(0));
    }
}
