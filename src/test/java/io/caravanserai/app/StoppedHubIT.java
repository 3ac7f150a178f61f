package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.cli.HubCommand;
import io.caravanserai.order.OrderJson;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hub in a separate process that a signal stops, or that is killed and restarted late. */
class StoppedHubIT {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final List<String> STYLES = List.of("request-reply", "queue", "pubsub", "choreography");
    /** Seconds. A payment takes half of the timeout, and the hub is down for longer than the timeout. */
    private static final int TIMEOUT = 20;

    @TempDir
    Path folder;

    private final int port = FreePort.take();
    private final int jmsPort = FreePort.take();
    private Process hub;

    @Test
    void timeInWhichTheHubWasStoppedOrDeadDoesNotCountTowardsDeadlines() throws Exception {
        start();
        send("PUT", "/stock/SADDLE-01", "{\"onHand\": 1000}");
        for (String style : STYLES) {
            post(style + "-stopped", style);
        }
        signal("STOP");
        pass(Duration.ofSeconds(TIMEOUT + 5));
        signal("CONT");
        for (String style : STYLES) {
            awaitShipped(style + "-stopped");
        }

        for (String style : STYLES) {
            post(style + "-died", style);
        }
        hub.destroyForcibly().waitFor();
        pass(Duration.ofSeconds(TIMEOUT + 5));
        start();
        for (String style : STYLES) {
            awaitShipped(style + "-died");
        }
    }

    private void post(String id, String style) throws Exception {
        String order = KafkaHub.order(id, "pm_slow_" + TIMEOUT * 500);
        assertThat(send("POST", "/orders?style=" + style, order).path("orderId").asText())
                .isEqualTo(id);
    }

    private void awaitShipped(String id) {
        await().ignoreExceptionsInstanceOf(IOException.class).untilAsserted(() -> {
            JsonNode order = send("GET", "/orders/" + id, null);
            assertThat(order.path("status").asText()).as(order.toString()).isIn("SHIPPED", "CANCELLED");
        });
        await().ignoreExceptionsInstanceOf(IOException.class)
                .untilAsserted(() -> assertThat(send("GET", "/orders/" + id, null)
                                .path("status")
                                .asText())
                        .isEqualTo("SHIPPED"));
    }

    /** The test measures a time span. */
    private static void pass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        await().atMost(time.plusMinutes(1)).until(() -> System.nanoTime() >= end);
    }

    private void start() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                HubCommand.class.getName());
        builder.environment()
                .putAll(Map.of(
                        "HUB_HTTP_PORT", String.valueOf(port),
                        "HUB_JMS_PORT", String.valueOf(jmsPort),
                        "HUB_SAGA_TIMEOUT", TIMEOUT + "s",
                        "HUB_DATA_DIR", folder.resolve("data").toString()));
        hub = builder.redirectErrorStream(true)
                .redirectOutput(folder.resolve("hub.log").toFile())
                .start();
        await().ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> send("GET", "/observe/health/ready", null)
                        .path("status")
                        .asText()
                        .equals("UP"));
    }

    private void signal(String name) throws Exception {
        Process kill = new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + hub.pid()).start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(kill.exitValue()).isZero();
    }

    private JsonNode send(String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .header("Content-Type", "application/json")
                .header("Prefer", "respond-async")
                .timeout(Duration.ofSeconds(30))
                .build();
        return OrderJson.MAPPER.readTree(
                HTTP.send(request, BodyHandlers.ofString()).body());
    }

    @AfterEach
    void end() {
        if (hub != null) {
            hub.destroyForcibly();
        }
    }
}
