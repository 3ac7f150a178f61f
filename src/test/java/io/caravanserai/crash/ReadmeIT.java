package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The calls in the README get the documented answers. */
class ReadmeIT {
    private static final Pattern EXAMPLE =
            Pattern.compile("```sh\\ncurl (.*?)\\n```\\n+```text\\n(.*?)\\n```", Pattern.DOTALL);
    private static final Pattern CALL = Pattern.compile("http://127\\.0\\.0\\.1:8080(\\S+)(?:.* -d '(.*)')?");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @Test
    void callsOfReadmeGetDocumentedAnswers() throws Exception {
        List<Matcher> examples = new ArrayList<>();
        Matcher example = EXAMPLE.matcher(Files.readString(Path.of("README.md")));
        try (HubProcess hub =
                new HubProcess(Distribution.built(), folder.resolve("run/data")).set("hub.http.wait", "60s")) {
            hub.start().awaitReady();
            Rest rest = new Rest(hub.url());
            while (example.find()) {
                examples.add(example);
                check(rest, example.group(1), example.group(2));
            }
        }
        assertThat(examples).hasSizeGreaterThanOrEqualTo(5);
    }

    private static void check(Rest rest, String command, String said) throws Exception {
        Matcher call = CALL.matcher(command);
        assertThat(call.find()).as(command).isTrue();
        Rest.Answer answer = call.group(2) == null ? rest.get(call.group(1)) : rest.post(call.group(1), call.group(2));
        if (said.startsWith("HTTP/1.1")) {
            assertThat(said).startsWith("HTTP/1.1 " + answer.status() + " ");
        }
        JsonNode body = JSON.readTree(said.substring(said.indexOf('{')));
        assertThat(withoutIdsAndTimes(answer.body())).isEqualTo(withoutIdsAndTimes(body));
    }

    private static JsonNode withoutIdsAndTimes(JsonNode body) throws Exception {
        return JSON.readTree(body.toString()
                .replaceAll("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an id")
                .replaceAll("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z", "a time"));
    }
}
