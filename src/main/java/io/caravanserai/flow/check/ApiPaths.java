package io.caravanserai.flow.check;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The paths of the API of the hub, from the OpenAPI document. The API has priority over flows. */
final class ApiPaths {
    private static final String DOCUMENT = "/openapi.json";
    private static final List<List<String>> PATHS = read();

    private ApiPaths() {}

    private static List<List<String>> read() {
        try (InputStream in = ApiPaths.class.getResourceAsStream(DOCUMENT)) {
            List<List<String>> paths = new ArrayList<>();
            new ObjectMapper()
                    .readTree(in)
                    .path("paths")
                    .fieldNames()
                    .forEachRemaining(path -> paths.add(HttpIngress.segments(path)));
            paths.add(List.of());
            return List.copyOf(paths);
        } catch (IOException e) {
            throw new UncheckedIOException("the hub has no " + DOCUMENT, e);
        }
    }

    /**
     * Returns the API path that answers every request to the path of a flow; empty when requests can reach the flow.
     * @param path may have {@code {name}} for a segment, and {@code *} as the last segment
     */
    static Optional<String> hiding(String path) {
        List<String> segments = HttpIngress.segments(path);
        return PATHS.stream()
                .filter(own -> own.size() == segments.size())
                .filter(own -> IntStream.range(0, own.size()).allMatch(i -> hides(own.get(i), segments.get(i))))
                .findFirst()
                .map(own -> "/" + String.join("/", own));
    }

    private static boolean hides(String own, String theirs) {
        return own.startsWith("{") || own.equals(theirs);
    }
}
