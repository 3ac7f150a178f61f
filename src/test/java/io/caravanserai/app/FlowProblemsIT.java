package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.app.TestHub.Answer;
import io.caravanserai.order.Style;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The responses when an HTTP flow fails. */
class FlowProblemsIT {
    private static final String FLOW = """
            - route:
                id: fails
                from:
                  uri: platform-http:/fails
                  steps:
                    - throwException:
                        exceptionType: java.lang.IllegalStateException
                        message: a secret
            - route:
                id: speaks
                from:
                  uri: platform-http:/speaks
                  parameters:
                    muteException: false
                  steps:
                    - throwException:
                        exceptionType: java.lang.IllegalStateException
                        message: the parcel is too large
            - route:
                id: expression
                from:
                  uri: platform-http:/expression
                  parameters:
                    httpMethodRestrict: POST
                  steps:
                    - setBody:
                        jsonpath: $.weight
            - route:
                id: refuses
                from:
                  uri: platform-http:/refuses
                  steps:
                    - setBody:
                        constant: ""
                    - setHeader:
                        name: CamelHttpResponseCode
                        constant: 429
            - route:
                id: says-so-itself
                from:
                  uri: platform-http:/says-so-itself
                  steps:
                    - setBody:
                        constant: busy
                    - setHeader:
                        name: CamelHttpResponseCode
                        constant: 503
            - rest:
                path: /parcels
                get:
                  - path: /{id}
                    to: direct:fails-at-rest
                post:
                  - path: /
                    consumes: application/json
                    produces: application/json
                    to: direct:fails-at-rest-too
            - route:
                id: fails-at-rest-too
                from:
                  uri: direct:fails-at-rest-too
                  steps:
                    - to: direct:fails-at-rest
            - route:
                id: fails-at-rest
                from:
                  uri: direct:fails-at-rest
                  steps:
                    - throwException:
                        exceptionType: java.lang.IllegalStateException
                        message: a secret
            """;

    @TempDir
    private static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void start() throws Exception {
        Path routes = Files.createDirectory(folder.resolve("routes"));
        for (Style style : Style.values()) {
            String file = style.flow() + ".camel.yaml";
            Files.copy(Path.of("src/main/resources/routes", file), routes.resolve(file));
        }
        Files.writeString(routes.resolve("http.camel.yaml"), FLOW);
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
    }

    @AfterAll
    static void stop() {
        hub.close();
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            GET    | /fails           | 500
            POST   | /fails           | 500
            GET    | /speaks          | 500
            POST   | /expression      | 500
            GET    | /expression      | 405
            GET    | /refuses         | 429
            GET    | /parcels/7       | 500
            POST   | /parcels/        | 500
            DELETE | /parcels/7       | 405
            GET    | /parcels/7/more  | 404
            """, delimiter = '|')
    void aFailureIsAProblemWithoutInsides(String method, String path, int status) {
        String body = method.equals("POST") ? "no JSON" : null;

        Answer answer = hub.send(method, path, body, "X-API-Key", "a key").join();

        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(answer.json().path("status").intValue()).isEqualTo(status);
        assertThat(answer.json().path("detail").textValue()).isNotBlank();
        assertThat(answer.body()).doesNotContain("a secret", "Exception", "java.", "camel");
        if (status == 500) {
            assertThat(answer.header("X-API-Key")).isNull();
        }
        if (status == 405) {
            assertThat(answer.header("Allow")).isNotBlank();
        }
    }

    @Test
    void unmutedExceptionIsQuotedWithoutStackTrace() {
        JsonNode problem = hub.get("/speaks").json();

        assertThat(problem.path("detail").textValue()).isEqualTo("the parcel is too large");
    }

    @Test
    void responseSetByFlowIsUnchanged() {
        Answer answer = hub.get("/says-so-itself");

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body()).isEqualTo("busy");
    }
}
