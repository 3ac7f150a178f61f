package io.caravanserai.intake;

import java.nio.charset.StandardCharsets;

/** JSON pointers as URI fragments (RFC 6901, section 6): {@code #/items/0/quantity}. */
final class JsonPointer {
    private static final String UNESCAPED = "-._~!$&'()*+,;=:@/?";

    private JsonPointer() {}

    /** @param pointer in plain form: empty, or with a leading slash, with ~ and / in names escaped */
    static String fragment(String pointer) {
        StringBuilder fragment = new StringBuilder(pointer.length() + 1).append('#');
        for (byte each : pointer.getBytes(StandardCharsets.UTF_8)) {
            char character = (char) (each & 0xff);
            boolean alphanumeric = character < 128 && Character.isLetterOrDigit(character);
            if (alphanumeric || UNESCAPED.indexOf(character) >= 0) {
                fragment.append(character);
            } else {
                fragment.append(String.format("%%%02X", (int) character));
            }
        }
        return fragment.toString();
    }

    /** Returns the pointer of a member of the object at the pointer. */
    static String member(String pointer, String name) {
        return pointer + "/" + name.replace("~", "~0").replace("/", "~1");
    }
}
