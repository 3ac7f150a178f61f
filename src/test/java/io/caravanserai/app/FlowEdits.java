package io.caravanserai.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The shipped flows, and changes of their routes. */
final class FlowEdits {
    static final Path ROUTES = Path.of("src/main/resources/routes");

    private FlowEdits() {}

    /** Changes one route alone. */
    static String block(String flow, String route, String from, String to) {
        return items(flow)
                .map(item -> item.contains("    id: " + route + "\n") ? item.replace(from, to) : item)
                .collect(Collectors.joining());
    }

    static String without(String flow, String route) {
        return items(flow)
                .filter(item -> !item.contains("    id: " + route + "\n"))
                .collect(Collectors.joining());
    }

    private static Stream<String> items(String text) {
        return Arrays.stream(text.split("(?m)^(?=- )"));
    }

    static String route(String uri, String... steps) {
        return "\n- route:\n    from:\n      uri: " + uri + "\n      steps:\n        "
                + String.join("\n        ", steps) + "\n";
    }

    static String text(String flow) {
        try {
            return Files.readString(ROUTES.resolve(flow + ".camel.yaml"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
