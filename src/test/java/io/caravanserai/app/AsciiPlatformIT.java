package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.cli.HubCommand;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hub on a platform with ASCII as the default encoding, as with {@code LC_ALL=C} on Java 17. */
class AsciiPlatformIT {
    private static final String TEXT = "Grüße, 東京 €";
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    private Path folder;

    private int port;

    @Test
    void flowsAreReadWrittenAndRunInUtf8() throws Exception {
        Path routes = Files.createDirectories(folder.resolve("routes"));
        Files.writeString(routes.resolve("greeting.camel.yaml"), flow("greeting", TEXT));
        port = FreePort.take();
        Path log = folder.resolve("log");
        ProcessBuilder builder = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dfile.encoding=US-ASCII",
                        "-XX:TieredStopAtLevel=1",
                        "-Dhub.http.port=" + port,
                        "-Dhub.jms.port=0",
                        "-Dhub.data.dir=" + folder.resolve("data"),
                        "-Dhub.routes.dir=" + routes,
                        "-cp",
                        System.getProperty("java.class.path"),
                        HubCommand.class.getName()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("LC_ALL", "C");
        Process hub = builder.start();
        try {
            await().failFast("the hub ended", () -> !hub.isAlive()).until(() -> answers("/observe/health/ready"));
            assertThat(send("GET", "/greeting", "")).isEqualTo(TEXT);
            String edited = flow("greeting", TEXT + " ß");

            assertThat(send("PUT", "/flows/greeting.camel.yaml", edited)).contains("\"version\":2");

            assertThat(send("GET", "/greeting", "")).isEqualTo(TEXT + " ß");
            assertThat(send("GET", "/flows/greeting.camel.yaml", "")).isEqualTo(edited);
            assertThat(routes.resolve("greeting.camel.yaml")).hasContent(edited.strip());
            assertThat(folder.resolve("out/greeting.txt")).hasContent(TEXT + " ß");
            await().until(() -> Files.readString(log).contains("says " + TEXT + " ß"));
        } finally {
            hub.destroyForcibly().waitFor();
        }
    }

    private String flow(String name, String text) {
        return """
                # TEXT
                - route:
                    id: NAME
                    from:
                      uri: platform-http:/NAME
                      steps:
                        - setBody:
                            constant: TEXT
                        - to: file:FOLDER/out?fileName=NAME.txt
                        - log:
                            message: says ${body}
                            loggingLevel: WARN
                """.replace("NAME", name).replace("TEXT", text).replace("FOLDER", folder.toString());
    }

    private boolean answers(String path) {
        try {
            return exchange("GET", path, "").statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    private String send(String method, String path, String body) throws IOException {
        return exchange(method, path, body).body();
    }

    private HttpResponse<String> exchange(String method, String path, String body) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(30))
                .header("Content-Type", "application/yaml")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        try {
            return HTTP.send(request, HttpResponse.BodyHandlers.ofString(java.nio.charset.StandardCharsets.UTF_8));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
