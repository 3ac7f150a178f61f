package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The single-file client of docs/kafka.md prints what the page says. */
class KafkaExampleIT {
    private static final Pattern EXAMPLE =
            Pattern.compile("```sh\\njava -cp \"(\\S+)\" (\\S+KafkaOrder.java) .*?```text\\n(.*?)```", Pattern.DOTALL);

    @TempDir
    Path folder;

    @Test
    void theClientPrintsWhatThePageSays() throws Exception {
        Matcher example = EXAMPLE.matcher(Files.readString(Path.of("docs", "kafka.md")));
        assertThat(example.find()).isTrue();
        int port = HubProcess.freePort();
        try (HubProcess hub = new HubProcess(Distribution.built(), folder.resolve("run/data"))
                .set("hub.kafka.brokers", "embedded")
                .set("hub.kafka.port", String.valueOf(port))) {
            hub.start().awaitReady();

            Process client = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            example.group(1),
                            example.group(2),
                            "127.0.0.1:" + port)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();

            String printed = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(client.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(withoutIds(printed)).isEqualTo(withoutIds(example.group(3)));
        }
    }

    private static String withoutIds(String text) {
        return text.replaceAll("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an id");
    }
}
