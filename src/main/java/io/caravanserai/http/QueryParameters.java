package io.caravanserai.http;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** The query of a request. */
final class QueryParameters {
    /** Maximum edit distance of a suggested name. */
    private static final int NEAR = 4;

    private static final int MAX_NAME_SHOWN = 100;

    private QueryParameters() {}

    /**
     * Returns the decoded values by name; a name without {@code =} has an empty value.
     * @param query as in the request line; may be null
     * @throws ProblemException 400, when the encoding is invalid
     */
    static Map<String, List<String>> parse(String query) {
        if (query == null || query.isEmpty()) {
            return Map.of();
        }
        Map<String, List<String>> parameters = new HashMap<>();
        for (String pair : query.split("&")) {
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            String name = equals < 0 ? pair : pair.substring(0, equals);
            String value = equals < 0 ? "" : pair.substring(equals + 1);
            try {
                parameters
                        .computeIfAbsent(UrlText.decode(name), none -> new ArrayList<>())
                        .add(UrlText.decode(value));
            } catch (IllegalArgumentException e) {
                throw Problem.of(400, "the query is not encoded rightly: " + e.getMessage())
                        .asException();
            }
        }
        return parameters;
    }

    /**
     * Refuses unknown parameters, because an unknown parameter is a typing error.
     * @throws ProblemException 400, for an unknown or repeated parameter
     */
    static void check(String query, List<String> known) {
        parse(query).forEach((name, values) -> {
            if (!known.contains(name)) {
                throw unknown(name, known);
            }
            if (values.size() > 1) {
                throw Problem.badParameter(name, "given more than once").asException();
            }
        });
    }

    private static ProblemException unknown(String name, List<String> known) {
        String shown = name.length() > MAX_NAME_SHOWN ? name.substring(0, MAX_NAME_SHOWN) : name;
        if (known.isEmpty()) {
            return Problem.badParameter(shown, "is not a known parameter: there are none here")
                    .asException();
        }
        LevenshteinDistance distance = new LevenshteinDistance(NEAR);
        String nearest = known.stream()
                .filter(each -> distance.apply(shown, each) >= 0)
                .min(Comparator.comparingInt(each -> distance.apply(shown, each)))
                .map(each -> "did you mean " + each + "?")
                .orElse("there are " + String.join(", ", known));
        return Problem.badParameter(shown, "is not a known parameter; " + nearest)
                .asException();
    }
}
