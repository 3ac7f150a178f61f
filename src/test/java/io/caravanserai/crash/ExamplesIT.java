package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.app.FreePort;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example clients print the output shown in the documentation. */
class ExamplesIT {
    private static final Pattern EXAMPLE =
            Pattern.compile("```sh\\njava -cp \"(\\S+)\" (docs/examples/\\S+) .*?```text\\n(.*?)```", Pattern.DOTALL);

    @TempDir
    Path folder;

    private HubProcess hub() {
        return new HubProcess(Distribution.built(), folder.resolve("run/data"));
    }

    @Test
    void kafkaClientPrintsOutputOfPage() throws Exception {
        String port = String.valueOf(FreePort.take());
        try (HubProcess hub = hub().set("hub.kafka.brokers", "embedded").set("hub.kafka.port", port)) {
            hub.start().awaitReady();
            printsWhatThePageSays("kafka.md", "127.0.0.1:" + port);
        }
    }

    @Test
    void jmsClientPrintsOutputOfPage() throws Exception {
        try (HubProcess hub = hub()) {
            hub.start().awaitReady();
            printsWhatThePageSays("jms.md", "tcp://127.0.0.1:" + hub.jmsPort());
        }
    }

    private static void printsWhatThePageSays(String page, String broker) throws Exception {
        Matcher example = EXAMPLE.matcher(Files.readString(Path.of("docs", page)));
        assertThat(example.find()).isTrue();
        Process client = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        example.group(1),
                        example.group(2),
                        broker)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();

        String printed = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(client.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(withoutIdsAndTimes(printed)).isEqualTo(withoutIdsAndTimes(example.group(3)));
    }

    private static String withoutIdsAndTimes(String text) {
        return text.replaceAll("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an id")
                .replaceAll("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z", "a time");
    }
}
