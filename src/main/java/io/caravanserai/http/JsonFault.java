package io.caravanserai.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;

/** Describes the fault of a text that is not JSON, without the class names of the parser. */
public final class JsonFault {
    private static final String NESTED_DEEPER = "nesting depth";

    private JsonFault() {}

    /** Returns one sentence without a full stop. */
    public static String of(JsonProcessingException fault) {
        String message = String.valueOf(fault.getOriginalMessage());
        if (fault instanceof StreamConstraintsException) {
            return message.contains(NESTED_DEEPER) ? "it is nested too deeply" : "a number or a text in it is too long";
        }
        // "...; expected close marker for Object (start marker at [Source: REDACTED (...); line: 1, column: 1])"
        int source = message.indexOf("[Source:");
        String plain = source < 0 ? message : message.substring(0, source);
        int open = plain.lastIndexOf('(');
        String whole = source < 0 || open < 0 ? plain : plain.substring(0, open);
        return whole.contains("com.fasterxml.") ? "it is not whole" : whole.strip();
    }
}
