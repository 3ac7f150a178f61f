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
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log of a hub in a separate process, with different settings. */
class LogSettingsIT {

    @TempDir
    private Path folder;

    @Test
    void logStepsAtInfoAreLoggedWithOrderId() throws Exception {
        List<String> lines = logOf(List.of());

        assertThat(lines).anyMatch(line -> line.contains("INFO  order-request-reply: paying now orderId=\"far\""));
        assertThat(lines).anyMatch(line -> line.contains("INFO  shop: under a name of its own"));
        assertThat(lines).noneMatch(line -> line.contains("not at debug"));
        assertThat(lines)
                .filteredOn(line -> line.contains("order cancelled"))
                .singleElement()
                .asString()
                .contains("orderId=\"far\"", "shipping-refused");
        assertThat(lines).noneMatch(line -> line.contains(" INFO ") && line.contains("AbstractCamelContext"));
    }

    @Test
    void formAndLevelsAreSet() throws Exception {
        List<String> lines = logOf(List.of(
                "hub.log.format=json",
                "hub.log.level=warn",
                "hub.log.level.flow.order-request-reply=debug",
                "hub.log.level.org.apache.camel=info"));

        List<JsonNode> objects = new ArrayList<>();
        for (String line : lines) {
            objects.add(OrderJson.MAPPER.readTree(line));
        }
        assertThat(objects).anySatisfy(line -> {
            assertThat(line.path("message").asText()).startsWith("not at debug");
            assertThat(line.path("level").asText()).isEqualTo("DEBUG");
            assertThat(line.path("logger").asText()).isEqualTo("flow.order-request-reply");
            assertThat(line.path("at").asText()).endsWith("Z");
        });
        assertThat(objects).anyMatch(line -> line.path("logger").asText().startsWith("org.apache.camel"));
        assertThat(objects).noneMatch(line -> line.path("message").asText().equals("flow runs"));
        assertThat(objects).noneMatch(line -> line.path("message").asText().startsWith("under a name of its own"));
    }

    @Test
    void noLibraryIsForgotten() throws IOException {
        List<String> unknown = new ArrayList<>();
        for (String jar : System.getProperty("java.class.path").split(":")) {
            if (jar.endsWith(".jar") && jar.contains("camel-")) {
                unknown.addAll(packagesNotListed(jar));
            }
        }
        assertThat(unknown).isEmpty();
    }

    private static List<String> packagesNotListed(String jar) throws IOException {
        try (java.util.zip.ZipFile zip = new java.util.zip.ZipFile(jar)) {
            return zip.stream()
                    .map(entry -> entry.getName().replace('/', '.'))
                    .filter(name -> name.endsWith(".class") && !name.startsWith("META-INF"))
                    .filter(name -> ConsoleLog.LIBRARIES.stream().noneMatch(library -> name.startsWith(library + ".")))
                    .toList();
        }
    }

    /** Starts a hub, sends an order that cannot be shipped, and returns the log until then. */
    private List<String> logOf(List<String> settings) throws Exception {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        String file = "order-request-reply.camel.yaml";
        Files.writeString(
                routes.resolve(file),
                Files.readString(Path.of("src/main/resources/routes", file))
                        .replace("- to: direct:process-payment\n", """
                        - log: paying now
                                      - log:
                                          message: not at debug
                                          loggingLevel: DEBUG
                                      - log:
                                          message: under a name of its own
                                          logName: shop
                                      - to: direct:process-payment
                        """));
        int port = FreePort.take();
        List<String> command = new ArrayList<>(
                List.of(ProcessHandle.current().info().command().orElseThrow(), "-XX:TieredStopAtLevel=1"));
        Stream.concat(
                        settings.stream(),
                        Stream.of(
                                "hub.http.port=" + port,
                                "hub.jms.port=0",
                                "hub.data.dir=" + folder.resolve("data"),
                                "hub.routes.dir=" + routes))
                .forEach(setting -> command.add("-D" + setting));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), HubCommand.class.getName()));
        Path log = folder.resolve("log");
        Process hub = new ProcessBuilder(command)
                .redirectError(log.toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .start();
        try {
            HttpClient client = HttpClient.newHttpClient();
            URI url = URI.create("http://127.0.0.1:" + port);
            await().ignoreExceptions()
                    .until(() -> client.send(
                                            HttpRequest.newBuilder(url.resolve("/observe/health/ready"))
                                                    .build(),
                                            HttpResponse.BodyHandlers.ofString())
                                    .statusCode()
                            == 200);
            client.send(
                    HttpRequest.newBuilder(url.resolve("/stock/BELL"))
                            .header("Content-Type", "application/json")
                            .PUT(HttpRequest.BodyPublishers.ofString("{\"onHand\": 5}"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(url.resolve("/orders"))
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString("""
                                    {"orderId": "far", "customerId": "C-1",
                                     "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}], "currency": "EUR",
                                     "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "AQ"}}
                                    """))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(409);
        } finally {
            hub.destroy();
            if (!hub.waitFor(40, TimeUnit.SECONDS)) {
                hub.destroyForcibly();
            }
        }
        return Files.readAllLines(log);
    }
}
