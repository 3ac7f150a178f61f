package io.caravanserai.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.deadletter.LetterChange;
import io.caravanserai.http.Problem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads {@code {"body"?, "headers"?}}, the body of {@code POST /dead-letters/{id}/replay}. */
final class LetterChangeReader {
    private static final int MAX_HEADERS = 200;

    private LetterChangeReader() {}

    /** @throws io.caravanserai.http.ProblemException 422, with all faults */
    static LetterChange read(ObjectNode document) {
        List<Problem.Fault> faults = new ArrayList<>();
        Optional<String> body = Optional.ofNullable(document.get("body")).map(given -> text(given, faults));
        Map<String, Optional<String>> headers = new LinkedHashMap<>();
        JsonNode given = document.get("headers");
        if (given != null && !given.isObject()) {
            faults.add(new Problem.Fault("#/headers", "must be an object"));
        } else if (given != null && given.size() > MAX_HEADERS) {
            faults.add(new Problem.Fault("#/headers", "must have at most " + MAX_HEADERS + " members"));
        } else if (given != null) {
            given.properties().forEach(header -> read(header.getKey(), header.getValue(), headers, faults));
        }
        if (!faults.isEmpty()) {
            throw Problem.invalid(faults).asException();
        }
        return new LetterChange(body, headers);
    }

    /**
     * Returns the body as text. An order may be given as a JSON object; the body is then the JSON text of the object.
     */
    private static String text(JsonNode body, List<Problem.Fault> faults) {
        if (!body.isTextual() && !body.isObject()) {
            faults.add(new Problem.Fault("#/body", "must be a string, or a JSON object to be sent as text"));
            return "";
        }
        String text = body.isTextual() ? body.textValue() : body.toString();
        if (!isUnicode(text)) {
            faults.add(new Problem.Fault("#/body", "has a character that is not a Unicode character"));
        }
        return text;
    }

    private static void read(
            String name, JsonNode value, Map<String, Optional<String>> headers, List<Problem.Fault> faults) {
        String pointer = pointer(name);
        if (name.isBlank() || !isUnicode(name)) {
            faults.add(new Problem.Fault(pointer, "is no name of a header"));
        } else if (value.isNull()) {
            headers.put(name, Optional.empty());
        } else if (!value.isTextual() || !isUnicode(value.textValue())) {
            faults.add(new Problem.Fault(pointer, "must be a string, or null to take the header away"));
        } else if (value.textValue().length() > LetterChange.MAX_HEADER) {
            faults.add(new Problem.Fault(pointer, "must be at most " + LetterChange.MAX_HEADER + " characters long"));
        } else {
            headers.put(name, Optional.of(value.textValue()));
        }
    }

    /** Returns the JSON pointer of a header for a fault. */
    static String pointer(String header) {
        return "#/headers/" + header.replace("~", "~0").replace("/", "~1");
    }

    private static boolean isUnicode(String text) {
        return text.codePoints()
                .noneMatch(each -> each == 0 || each >= Character.MIN_SURROGATE && each <= Character.MAX_SURROGATE);
    }
}
