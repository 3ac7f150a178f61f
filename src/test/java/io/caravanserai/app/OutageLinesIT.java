package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.broker.ArtemisProcess;
import io.caravanserai.broker.KafkaProcess;
import io.caravanserai.cli.HubCommand;
import io.caravanserai.order.OrderJson;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log of a hub in a separate process about outside brokers, and secrets that must never be in the log. */
@Tag("crash")
class OutageLinesIT {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    /** Long enough for clients with a retry every second to log ten lines each. */
    private static final Duration AWAY = Duration.ofSeconds(12);

    private static final int MOST_LINES = 15;

    @TempDir
    Path folder;

    private final int port = FreePort.take();
    private Process hub;

    @Test
    void brokerOutagesAreLoggedInFewLines() throws Exception {
        Path kafkaFolder = folder.resolve("kafka");
        Path artemisFolder = folder.resolve("artemis");
        int artemisPort = FreePort.take();
        KafkaProcess kafka = KafkaProcess.start(kafkaFolder, FreePort.take());
        ArtemisProcess artemis = ArtemisProcess.start(artemisFolder, artemisPort);
        try {
            start(Map.of(
                    "HUB_JMS_URL",
                    "tcp://127.0.0.1:" + artemisPort,
                    "HUB_KAFKA_BROKERS",
                    kafka.bootstrapServers(),
                    "HUB_EVENTS_BUS",
                    "kafka"));
            awaitReady(200);

            int quiet = lines().size();
            kafka.kill();
            artemis.freeze();
            isToldInFewLines(quiet, "part=\"Kafka\"", "part=\"JMS broker\"");
            kafka = KafkaProcess.start(kafkaFolder, kafka.port());
            artemis.thaw();
            isBack(quiet);

            quiet = lines().size();
            kafka.freeze();
            artemis.kill();
            isToldInFewLines(quiet, "part=\"Kafka\"", "part=\"JMS broker\"");
            kafka.thaw();
            artemis = ArtemisProcess.start(artemisFolder, artemisPort);
            isBack(quiet);
        } finally {
            kafka.close();
            artemis.close();
        }
    }

    private void isToldInFewLines(int before, String... parts) throws Exception {
        for (String style : List.of("queue", "pubsub", "choreography")) {
            send("POST", "/orders?style=" + style, KafkaHub.order("waits-" + before + style, "pm_card_visa"));
        }
        awaitReady(503);
        for (String part : parts) {
            await().untilAsserted(() -> assertThat(since(before, " unavailable", part))
                    .as("lines about the %s", part)
                    .hasSize(1));
        }
        pass(AWAY);
        assertThat(troubles(before)).hasSizeLessThanOrEqualTo(MOST_LINES);
    }

    private void isBack(int before) throws Exception {
        awaitReady(200);
        for (String part : List.of("part=\"Kafka\"", "part=\"JMS broker\"")) {
            await().untilAsserted(() ->
                    assertThat(since(before, "available again", part)).hasSize(1));
        }
        for (String style : List.of("queue", "pubsub", "choreography")) {
            await().untilAsserted(() -> assertThat(send("GET", "/orders/waits-" + before + style, null)
                            .path("status")
                            .asText())
                    .isEqualTo("SHIPPED"));
        }
        assertThat(troubles(before)).hasSizeLessThanOrEqualTo(MOST_LINES + 5);
    }

    @Test
    void noSecretIsInTheLogAtAnyLevel() throws Exception {
        String key = "operators-key-4711";
        String hash = HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256")
                        .digest(key.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        int artemisPort = FreePort.take();
        ArtemisProcess artemis = ArtemisProcess.start(folder.resolve("artemis"), artemisPort);
        try {
            Map<String, String> environment = new HashMap<>();
            for (String library : List.of(
                    "ORG_APACHE_CAMEL",
                    "ORG_APACHE_ACTIVEMQ",
                    "ORG_APACHE_KAFKA",
                    "IO_VERTX",
                    "IO_CARAVANSERAI",
                    "ORG_MESSAGINGHUB",
                    "ORG_SPRINGFRAMEWORK",
                    "ROOT")) {
                environment.put("HUB_LOG_LEVEL_" + library, "trace");
            }
            environment.put("HUB_LOG_LEVEL", "debug");
            environment.put("HUB_KAFKA_BROKERS", "embedded");
            environment.put("HUB_KAFKA_PORT", String.valueOf(FreePort.take()));
            environment.put("HUB_SECURITY_API_KEYS", "boss:operator:" + hash);
            environment.put("HUB_NOTIFICATION_MAIL_URL", "smtp://127.0.0.1:" + FreePort.take());
            environment.put("HUB_NOTIFICATION_MAIL_USER", "postman");
            environment.put("HUB_NOTIFICATION_MAIL_PASSWORD", "mail-secret-4712");
            environment.put("HUB_NOTIFICATION_MAIL_FROM", "hub@example.org");
            environment.put("HUB_JMS_URL", "tcp://127.0.0.1:" + artemisPort + "?user=hub&password=jms-secret-4713");
            start(environment);
            await().ignoreExceptionsInstanceOf(IOException.class)
                    .until(() -> send("PUT", "/stock/SADDLE-01", "{\"onHand\": 5}", "X-API-Key", key)
                            .has("onHand"));
            send(
                    "POST",
                    "/orders?style=queue",
                    KafkaHub.order("seen", "pm_card_visa"),
                    "Authorization",
                    "Bearer " + key);
            await().until(() -> send("GET", "/orders/seen", null, "X-API-Key", key)
                    .path("status")
                    .asText()
                    .equals("SHIPPED"));
        } finally {
            artemis.close();
        }
        hub.destroy();
        assertThat(hub.waitFor(60, TimeUnit.SECONDS)).isTrue();

        assertThat(lines())
                .anyMatch(line -> line.contains(" DEBUG "))
                .noneMatch(line -> line.contains("-4711")
                        || line.contains("-4712")
                        || line.contains("-4713")
                        || line.matches(".*PlainLoginModule.*password=\"[^*].*"));
    }

    private List<String> lines() throws IOException {
        return Files.readAllLines(folder.resolve("hub.log"));
    }

    private List<String> since(int before, String... texts) throws IOException {
        return lines().stream()
                .skip(before)
                .filter(line -> List.of(texts).stream().allMatch(line::contains))
                .toList();
    }

    /** Lines at WARN or ERROR, and lines of stack traces. */
    private List<String> troubles(int before) throws IOException {
        return lines().stream()
                .skip(before)
                .filter(line -> line.contains(" WARN ") || line.contains(" ERROR ") || line.startsWith("\tat "))
                .toList();
    }

    private void awaitReady(int status) {
        await().ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> HTTP.send(
                                        HttpRequest.newBuilder(URI.create(
                                                        "http://127.0.0.1:" + port + "/observe/health/ready"))
                                                .timeout(Duration.ofSeconds(30))
                                                .build(),
                                        BodyHandlers.ofString())
                                .statusCode()
                        == status);
    }

    /** The test measures a time span. */
    private static void pass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        await().atMost(time.plusMinutes(1)).until(() -> System.nanoTime() >= end);
    }

    private void start(Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                HubCommand.class.getName())));
        builder.environment().putAll(environment);
        builder.environment()
                .putAll(Map.of(
                        "HUB_HTTP_PORT", String.valueOf(port),
                        "HUB_SAGA_TIMEOUT", "1h",
                        "HUB_DATA_DIR", folder.resolve("data").toString()));
        hub = builder.redirectErrorStream(true)
                .redirectOutput(folder.resolve("hub.log").toFile())
                .start();
    }

    private JsonNode send(String method, String path, String body, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .header("Content-Type", "application/json")
                .header("Prefer", "respond-async")
                .timeout(Duration.ofSeconds(60));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return OrderJson.MAPPER.readTree(
                HTTP.send(request.build(), BodyHandlers.ofString()).body());
    }

    @AfterEach
    void end() {
        if (hub != null) {
            hub.destroyForcibly();
        }
    }
}
