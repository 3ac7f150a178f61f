package io.caravanserai.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.app.StartupBanner;
import io.caravanserai.config.HubSettings;
import io.caravanserai.config.SettingsReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubCommandTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String word) {
        return HubCommand.run(List.of(word), print(out), print(err));
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "-h", "help"})
    void helpListsTheCommands(String word) {
        assertThat(run(word)).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("hub check", "--version", "HUB_HTTP_PORT");
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void theVersionIsOneLine() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8).lines())
                .singleElement()
                .asString()
                .startsWith("Caravanserai ")
                .contains("Java ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--port=8081", "-x", "run"})
    void unknownCommandIsReportedOnStandardError(String word) {
        assertThat(run(word)).isEqualTo(2);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEmpty();
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("'" + word + "'", "--help");
    }

    @Test
    void exampleCallHasPlaceholderForKeyWhenKeysAreSet() {
        new StartupBanner(settings(Map.of()), 8080).print(print(out), Duration.ofSeconds(1), Optional.empty());
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("curl -i http://127.0.0.1:8080/orders -H 'Content-Type")
                .doesNotContain("X-API-Key");
        out.reset();

        String key = "me:operator:" + "a".repeat(64);
        new StartupBanner(settings(Map.of("hub.http.host", "0.0.0.0", "hub.security.api-keys", key)), 8080)
                .print(print(out), Duration.ofSeconds(1), Optional.empty());
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("curl -i http://127.0.0.1:8080/orders -H \"X-API-Key: $KEY\" -H 'Content-Type");
    }

    private static HubSettings settings(Map<String, String> system) {
        return new SettingsReader(Map.of(), system)
                .read(Map.of(), Path.of("routes"))
                .settings();
    }
}
