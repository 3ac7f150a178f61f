package io.caravanserai.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.config.SettingsReader;
import io.caravanserai.http.Endpoint;
import io.caravanserai.order.OrderJson;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** A hub in this process, with an HTTP client. */
final class TestHub implements AutoCloseable {
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final Hub hub;

    private TestHub(Hub hub) {
        this.hub = hub;
    }

    /** @param more settings in addition to the folder, free ports, and timeouts for slow machines */
    static TestHub start(Path folder, Map<String, String> more) throws Exception {
        Map<String, String> settings = new HashMap<>(Map.of("hub.http.wait", "60s", "hub.saga.timeout", "1h"));
        settings.putAll(more);
        settings.put("hub.data.dir", folder.toString());
        settings.put("hub.http.port", "0");
        settings.put("hub.jms.port", "0");
        return new TestHub(
                Hub.start(new SettingsReader(Map.of(), settings).read().settings()));
    }

    /** A response with the JSON body; missing without JSON. */
    record Answer(int status, HttpResponse<String> http, JsonNode json) {
        String header(String name) {
            return http.headers().firstValue(name).orElse(null);
        }

        String body() {
            return http.body();
        }
    }

    Answer get(String path, String... headers) {
        return send("GET", path, null, headers).join();
    }

    Answer post(String path, String body, String... headers) {
        return send("POST", path, body, headers).join();
    }

    Answer put(String path, String body, String... headers) {
        return send("PUT", path, body, headers).join();
    }

    /** @param headers names and values in turn; the default of Content-Type is JSON */
    CompletableFuture<Answer> send(String method, String path, String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + hub.port() + path))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (body != null) {
            request.setHeader("Content-Type", "application/json");
        }
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        return HTTP.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString())
                .thenApply(TestHub::answer);
    }

    private static Answer answer(HttpResponse<String> response) {
        try {
            boolean isJson = response.headers()
                    .firstValue("Content-Type")
                    .filter(type -> type.contains("json"))
                    .isPresent();
            JsonNode json = OrderJson.MAPPER.readTree(isJson ? response.body() : "");
            return new Answer(response.statusCode(), response, json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("not JSON: " + response.body(), e);
        }
    }

    /** The port of the embedded JMS broker. */
    int jmsPort() {
        return hub.jmsPort().orElseThrow();
    }

    /** The Kafka bootstrap servers, if Kafka is on. */
    String kafkaBrokers() {
        return hub.kafkaBrokers().orElseThrow();
    }

    /** The endpoints of the HTTP API. */
    List<Endpoint> endpointsServed() {
        return hub.endpointsServed();
    }

    @Override
    public void close() {
        hub.close();
    }
}
