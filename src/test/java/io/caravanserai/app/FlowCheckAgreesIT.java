package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.TestHub.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The check of a flow refuses the same texts as an edit, with the same messages and positions. */
class FlowCheckAgreesIT {
    private static final String FILE = "/flows/t.camel.yaml";

    @TempDir
    private static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "seda:x?concurrentConsumers=0",
                "seda:x?concurrentConsumers=-2",
                "file:FOLDER/in?move=a&delete=true",
                "file:FOLDER/nope?autoCreate=false&startingDirectoryMustExist=true",
                "file:FOLDER/in?backoffMultiplier=3",
                "platform-http:/x?httpMethodRestrict=FOO",
                "platform-http:/x?httpMethodRestrict=GET,FOO",
                "platform-http:/x/{a}/{a}",
                "rest:foo:/y",
                "mock:x",
                "bean:once",
                "language:simple:x",
                "saga:complete",
                "http:localhost",
                "vertx-http:x",
                "controlbus:route",
                "class:java.lang.String",
                "jms:queue:q?concurrentConsumers=0",
                "jms:queue:q?concurrentConsumers=5&maxConcurrentConsumers=2",
                "jms:queue:q?selector=a===b",
                "kafka:x",
                "kafka:x?brokers=localhost",
                "kafka:x?brokers=localhost:9&consumersCount=0",
                "kafka:x?brokers=localhost:9&maxPollRecords=-5",
                "kafka:x?brokers=localhost:9&securityProtocol=FOO",
                "kafka:x y?brokers=localhost:9",
                "kafka:[?brokers=localhost:9&topicIsPattern=true",
                "file:FOLDER/in?readLock=idempotent-changed"
            })
    void noConsumer(String uri) {
        Answer checked = refused(from(uri), 4, 12);

        assertThat(checked.json().path("valid").asBoolean()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file:FOLDER/out?fileExist=Move",
                "file:FOLDER/out?charset=nope",
                "http://",
                "file:FOLDER/out?fileExist=Append&tempPrefix=a",
                "file:FOLDER/out?moveExisting=x",
                "log:x?groupInterval=0",
                "timer:x",
                "scheduler:x",
                "platform-http:/x",
                "validator:nope.xsd",
                "log:x?groupSize=0",
                "http://localhost:9?okStatusCodeRange=abc",
                "rest:post:orders",
                "kafka:x",
                "kafka:x?brokers=localhost:9&lingerMs=-5",
                "kafka:x?brokers=localhost:9&keySerializer=nope.Nope",
                "kafka:x?brokers=localhost:9&deliveryTimeoutMs=1&requestTimeoutMs=1000",
                "kamelet:kafka-send?topic=warehouse",
                "outside:kafka:warehouse"
            })
    void noProducer(String uri) {
        Answer checked = refused(to(uri), 6, 15);

        assertThat(checked.json().path("valid").asBoolean()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "seda:x?size=5",
                "file:FOLDER/taken?noop=true",
                "file:FOLDER/taken?delay=1000",
                "platform-http:/x?httpMethodRestrict=get,POST",
                "platform-http:/x/{a}/{b}",
                "rest:get:/y",
                "log:x",
                "stub:x",
                "timer:x?period=1000",
                "scheduler:x?delay=1000",
                "jms:queue:q",
                "jms:topic:q?concurrentConsumers=2",
                "jms:queue:q?concurrentConsumers=2&maxConcurrentConsumers=5",
                "jms:queue:q?selector=colour='red'",
                "jms:topic:q?subscriptionShared=true&subscriptionDurable=true&subscriptionName=s",
                "file:FOLDER/taken?idempotentRepository=#once&readLock=idempotent-changed",
                "kafka:x?brokers=localhost:9",
                "events:order-events?subscriber=x"
            })
    void soundConsumer(String uri) {
        accepted(from(uri));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "seda:x",
                "file:FOLDER/out?fileExist=Append",
                "mock:x",
                "log:x?groupSize=5",
                "jms:queue:q",
                "http:localhost:9",
                "http://localhost:9?bridgeEndpoint=true&okStatusCodeRange=200-299,404",
                "https://localhost:9/a?b=c",
                "vertx-http:http://localhost:9/x?httpMethod=GET",
                "jms:queue:q?replyTo=r&replyToType=Exclusive",
                "kafka:x?brokers=localhost:9&requestRequiredAcks=all&compressionCodec=gzip",
                "rest:get:x?host=localhost:9&producerComponentName=vertx-http",
                "bean:once?method=nope",
                "language:simple:x",
                "saga:complete",
                "controlbus:route?action=stop",
                "outside:jms:queue",
                "outside:http://localhost:9",
                "kamelet:http-call?url=http://localhost:9",
                "stub:x",
                "browse:x",
                "rest:post:orders?host=localhost:9"
            })
    void soundProducer(String uri) {
        accepted(to(uri));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            jms:queue:                              | 'jms' needs a name: jms:destinationName
            jms:topic://                            | 'jms' needs a name: jms:destinationName
            http://localhost:9?connectTimeout=abc   | 'to' cannot be 'abc': it must be a whole number, or a duration
            file:FOLDER/out?charset=nope            | there is no character set 'nope': use one such as UTF-8
            kafka:x                                 | Kafka is off: set hub.kafka.brokers
            """)
    void theMessageSaysWhatIsAllowed(String uri, String message) {
        Answer checked = refused(to(uri), 6, 15);

        assertThat(checked.json().path("errors").path(0).path("message").asText())
                .startsWith(message);
    }

    @Test
    void oneQueueHasOneSize() {
        refused(from("seda:t-q?size=5") + from("seda:t-q?size=6").replace("id: t", "id: u"), 10, 12);
    }

    @Test
    void oneRouteAloneConsumesFromAFolder() {
        refused(from("file:FOLDER/two") + from("file:FOLDER/two").replace("id: t", "id: u"), 10, 12);
    }

    private static Answer refused(String text, int line, int column) {
        Answer checked = validated(text);
        assertThat(folder.resolve("files/in")).doesNotExist();
        Answer put = hub.put(FILE, text, "Content-Type", "application/yaml");

        assertThat(put.status()).as(put.body()).isEqualTo(422);
        assertThat(checked.json().path("errors")).isEqualTo(put.json().path("errors"));
        JsonNode fault = checked.json().path("errors").path(0);
        assertThat(fault.path("line").asInt()).as(checked.body()).isEqualTo(line);
        assertThat(fault.path("column").asInt()).as(checked.body()).isIn(7, column);
        assertThat(hub.get(FILE).status()).isEqualTo(404);
        return checked;
    }

    private static void accepted(String text) {
        Answer checked = validated(text);
        assertThat(checked.json().path("valid").asBoolean()).as(checked.body()).isTrue();
        Answer put = hub.put(FILE, text, "Content-Type", "application/yaml");
        assertThat(put.status()).as(put.body()).isIn(200, 201);
        assertThat(hub.send("DELETE", FILE, null).join().status()).isEqualTo(204);
    }

    private static Answer validated(String text) {
        return hub.post("/flows/validate?file=t.camel.yaml", text, "Content-Type", "application/yaml");
    }

    private static String from(String uri) {
        return route(uri, "log: x");
    }

    private static String to(String uri) {
        return route("direct:t-x", "to: \"" + uri + "\"");
    }

    private static String route(String from, String step) {
        return """
                - route:
                    id: t
                    from:
                      uri: "FROM"
                      steps:
                        - STEP
                """.replace("FROM", from).replace("STEP", step).replace("FOLDER", folder + "/files");
    }
}
