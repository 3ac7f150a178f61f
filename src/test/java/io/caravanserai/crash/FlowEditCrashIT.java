package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An order ends under the text it began with, though the text changes in its middle and the hub is killed right then. */
class FlowEditCrashIT {
    private static final String FILE = "order-request-reply.camel.yaml";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private Path routes;
    private Path marks;
    private Rest rest;

    @ParameterizedTest(name = "in {0}, to {1}")
    @CsvSource({"create-order,NL", "reserve-items,NL", "process-payment,NL", "ship-order,NL", "ship-order,AQ"})
    void anEditAndAKillInTheMiddleOfAStep(String step, String country) throws Exception {
        marks = folder.resolve("marks");
        routes = Files.createDirectory(folder.resolve("routes"));
        String original = Files.readString(Path.of("src/main/resources/routes", FILE));
        // Long enough to edit and kill in the middle of the step.
        String slow = original.replace(
                "              - to: direct:" + step + "\n",
                "              - delay:\n                  asyncDelayed: true\n                  expression:\n"
                        + "                    constant: 4000\n              - to: direct:" + step + "\n");
        assertThat(slow).isNotEqualTo(original);
        Files.writeString(routes.resolve(FILE), slow);
        try (HubProcess hub = new HubProcess(Distribution.built(), folder.resolve("run/data"))
                .set("hub.routes.dir", routes.toString())) {
            rest = new Rest(hub.url());
            hub.start().awaitReady();
            rest.put("/stock/BELL", "{\"onHand\": 100}");
            rest.post("/orders", order("began", country), "Prefer", "respond-async");

            Files.writeString(routes.resolve(FILE), marking(original));
            await().atMost(PATIENCE).until(() -> version() == 2);
            assertThat(ended("began").path("status").asText()).isIn("CREATED", "RESERVED", "PAID");
            hub.kill9();
            hub.start().awaitReady();
            rest.post("/orders", order("came-later", country));

            String end = country.equals("AQ") ? "CANCELLED" : "SHIPPED";
            for (String id : Set.of("began", "came-later")) {
                await().atMost(PATIENCE)
                        .until(() -> ended(id).path("status").asText().equals(end));
            }
            assertThat(ended("began").path("flowVersion").asInt()).isEqualTo(1);
            assertThat(ended("came-later").path("flowVersion").asInt()).isEqualTo(2);
            assertThat(marks.resolve("began")).doesNotExist();
            assertThat(marks.resolve("came-later")).exists();
            await().atMost(PATIENCE).until(() -> flow().path("versions").size() == 1);
        }
    }

    @Test
    void anEditOfAKameletAndAKillInTheMiddleOfItsSteps() throws Exception {
        marks = folder.resolve("marks");
        routes = Files.createDirectory(folder.resolve("routes"));
        Path kamelet = Files.createDirectory(folder.resolve("kamelets")).resolve("note.kamelet.yaml");
        String original = Files.readString(Path.of("src/main/resources/routes", FILE));
        String ship = "              - to: direct:ship-order\n";
        Files.writeString(routes.resolve(FILE), original.replace(ship, "              - to: kamelet:note\n" + ship));
        Files.writeString(kamelet, note("delay: {asyncDelayed: true, expression: {constant: 4000}}"));
        try (HubProcess hub = new HubProcess(Distribution.built(), folder.resolve("run/data"))
                .set("hub.routes.dir", routes.toString())) {
            rest = new Rest(hub.url());
            hub.start().awaitReady();
            rest.put("/stock/BELL", "{\"onHand\": 100}");
            rest.post("/orders", order("began", "NL"), "Prefer", "respond-async");

            Files.writeString(kamelet, note("toD: file:" + marks + "?fileName=${header.orderId}&allowNullBody=true"));
            await().atMost(PATIENCE).until(() -> version() == 2);
            assertThat(ended("began").path("status").asText()).isIn("CREATED", "RESERVED", "PAID");
            hub.kill9();
            hub.start().awaitReady();
            rest.post("/orders", order("came-later", "NL"));

            for (String id : Set.of("began", "came-later")) {
                await().atMost(PATIENCE)
                        .until(() -> ended(id).path("status").asText().equals("SHIPPED"));
            }
            assertThat(ended("began").path("flowVersion").asInt()).isEqualTo(1);
            assertThat(ended("came-later").path("flowVersion").asInt()).isEqualTo(2);
            assertThat(marks.resolve("began")).doesNotExist();
            assertThat(marks.resolve("came-later")).exists();
            assertThat(rest.get("/flows/" + FILE + "/versions")
                            .body()
                            .path("items")
                            .path(0)
                            .path("kamelets")
                            .toString())
                    .isEqualTo("[\"note\"]");
        }
    }

    private static String note(String step) {
        return """
                apiVersion: camel.apache.org/v1
                kind: Kamelet
                metadata:
                  name: note
                spec:
                  definition:
                    title: Note
                  template:
                    from:
                      uri: kamelet:source
                      steps:
                        - %s
                """.formatted(step);
    }

    /** Leaves a mark for each order that is shipped or refunded. */
    private String marking(String text) {
        String mark = "toD: file:" + marks + "?fileName=${header.orderId}&allowNullBody=true\n";
        return text.replace(
                                "              - to: direct:ship-order\n",
                                "              - " + mark + "              - to: direct:ship-order\n")
                        .replace("uri: direct:refund-payment", "uri: direct:marked-refund")
                + """

                - route:
                    id: marked-refund
                    from:
                      uri: direct:marked-refund
                      steps:
                        - %s        - to: direct:refund-payment
                """.formatted(mark);
    }

    private static String order(String id, String country) {
        return new TestOrder(id, "BELL", 1, BigDecimal.TEN, "pm_card_visa", country, Set.of()).json();
    }

    private JsonNode ended(String id) throws IOException {
        return rest.get("/orders/" + id).body();
    }

    private JsonNode flow() throws IOException {
        return rest.get("/flows").body().path("items").path(0);
    }

    private int version() throws IOException {
        return flow().path("version").asInt();
    }
}
