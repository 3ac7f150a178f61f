package io.caravanserai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.order.OrderJson;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubMessagesIT {
    @TempDir
    static Path folder;

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static Hub hub;

    @BeforeAll
    static void start() throws Exception {
        hub = Hub.start(new SettingsReader(
                        Map.of(), Map.of("hub.data.dir", folder.toString(), "hub.http.port", "0", "hub.jms.port", "0"))
                .read()
                .settings());
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @Test
    void schemasAreServedAsTheyAreUsed() throws Exception {
        JsonNode schemas = json(get("/schemas"));
        assertThat(schemas.path("items")).hasSize(13);
        for (JsonNode each : schemas.path("items")) {
            HttpResponse<String> schema = get(each.path("href").asText());
            assertThat(schema.statusCode()).isEqualTo(200);
            assertThat(schema.headers().firstValue("content-type")).contains("application/schema+json");
            assertThat(json(schema).path("$schema").asText()).endsWith("2020-12/schema");
        }
        assertThat(get("/schemas/OrderCreated/v3").statusCode()).isEqualTo(404);
        assertThat(get("/schemas/OrderEaten/v1").statusCode()).isEqualTo(404);
    }

    @Test
    void anEmptyLogIsAnEmptyList() throws Exception {
        assertThat(json(get("/events?orderId=none")).path("items")).isEmpty();
        assertThat(get("/events?after=x").statusCode()).isEqualTo(400);
        assertThat(get("/dead-letters/none").statusCode()).isEqualTo(404);
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        assertThat(response.statusCode()).isEqualTo(200);
        return OrderJson.MAPPER.readTree(response.body());
    }

    private static HttpResponse<String> get(String path) throws Exception {
        return HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + hub.port() + path))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
