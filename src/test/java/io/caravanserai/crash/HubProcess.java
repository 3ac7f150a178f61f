package io.caravanserai.crash;

import static org.awaitility.Awaitility.await;

import io.caravanserai.app.FreePort;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A hub of the distribution in a separate process, which can be killed and restarted on the same data and ports. The
 * output is in {@code hub.log} beside the data.
 */
public final class HubProcess implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(120);
    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    private final Path home;
    private final Path data;
    private final Map<String, String> environment = new HashMap<>();
    private final int port;
    private Process process;

    /**
     * @param home a copy of the distribution
     * @param data the data folder
     */
    public HubProcess(Path home, Path data) {
        this.home = home;
        this.data = data;
        this.port = FreePort.take();
        // Optimized compilation does not pay off within seconds.
        environment("JAVA_OPTS", "-XX:TieredStopAtLevel=1");
        set("hub.http.port", String.valueOf(port));
        set("hub.jms.port", String.valueOf(FreePort.take()));
        set("hub.data.dir", data.toString());
    }

    /** Changes a setting for later starts. */
    public HubProcess set(String key, String value) {
        return environment(key.toUpperCase(java.util.Locale.ROOT).replaceAll("[.-]", "_"), value);
    }

    /** Changes an environment variable for later starts; null removes the variable. */
    public HubProcess environment(String variable, String value) {
        if (value == null) {
            environment.remove(variable);
        } else {
            environment.put(variable, value);
        }
        return this;
    }

    /** Starts the process without waiting. */
    public HubProcess start() {
        try {
            Files.createDirectories(data.getParent());
            ProcessBuilder builder = new ProcessBuilder(home.resolve("bin/hub").toString())
                    .directory(data.getParent().toFile());
            builder.environment().putAll(environment);
            process = builder.redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile().toFile()))
                    .start();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return this;
    }

    /** Waits until the hub reports ready. */
    public HubProcess awaitReady() {
        await().atMost(START).pollInterval(Duration.ofMillis(50)).until(() -> {
            if (!process.isAlive()) {
                throw new IllegalStateException("the hub ended: " + log());
            }
            return isReady();
        });
        return this;
    }

    private boolean isReady() {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + "/observe/health/ready"))
                .timeout(Duration.ofSeconds(5))
                .build();
        try {
            return CLIENT.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Kills the process with SIGKILL. */
    public void kill9() {
        process.destroyForcibly();
        awaitEnd(START);
    }

    /** Stops the process with SIGTERM; returns the duration. */
    public Duration stop() {
        long began = System.nanoTime();
        process.destroy();
        awaitEnd(Duration.ofSeconds(30));
        return Duration.ofNanos(System.nanoTime() - began);
    }

    /** Waits for the end of the process; returns the exit code. */
    public int awaitEnd() {
        awaitEnd(START);
        return process.exitValue();
    }

    private void awaitEnd(Duration patience) {
        try {
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("the hub did not end within " + patience + ": " + log());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    public boolean isAlive() {
        return process != null && process.isAlive();
    }

    public String url() {
        return "http://127.0.0.1:" + port;
    }

    public int jmsPort() {
        return Integer.parseInt(environment.get("HUB_JMS_PORT"));
    }

    /** The output of the process, over all starts. */
    public String log() {
        try {
            return Files.readString(logFile(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "no log: " + e;
        }
    }

    private Path logFile() {
        return data.resolveSibling("hub.log");
    }

    @Override
    public void close() {
        if (isAlive()) {
            kill9();
        }
    }
}
