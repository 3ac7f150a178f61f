package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.app.TestHub.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Flows can read properties, but no secrets of the hub, in any way. */
class FlowSecretsIT {
    private static final String SECRET = "s3cr3t-of-the-hub";

    @TempDir
    static Path folder;

    private static TestHub hub;

    @BeforeAll
    static void startHub() throws Exception {
        System.setProperty("hub.store.password", SECRET);
        System.setProperty("hub.jms.url", "tcp://there:1?password=" + SECRET);
        System.setProperty("hub.orders.style", "queue");
        System.setProperty("flow.greeting", "hello");
        System.setProperty("flow.alias", "{{hub.store.password}}");
        System.setProperty("flow.options", "-Xmx1g -Dhub.store.password=" + SECRET);
        Path routes = Files.createDirectories(folder.resolve("routes"));
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
    }

    @AfterAll
    static void stopHub() {
        hub.close();
        for (String key : new String[] {
            "hub.store.password", "hub.jms.url", "hub.orders.style", "flow.greeting", "flow.alias", "flow.options"
        }) {
            System.clearProperty(key);
        }
    }

    private static Answer put(String body) {
        String text = """
                - route:
                    id: reader
                    from:
                      uri: platform-http:/reader
                      steps:
                        - setBody:
                            BODY
                """.replace("BODY", body);
        return hub.put("/flows/reader.camel.yaml", text, "Content-Type", "application/yaml");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "constant: 'x {{flow.greeting}} y'",
                "constant: 'x {{sys:flow.greeting}} y'",
                "constant: 'x {{env:NO_SUCH_VARIABLE:hello}} y'",
                "constant: 'x {{no.such.property:hello}} y'",
                "constant: 'x {{sys:no.such.property:hello}} y'",
                "simple: 'x ${sys.flow.greeting} y'",
                "simple: 'x ${properties:flow.greeting} y'",
                "simple: 'x ${properties:no.such:hello} y'"
            })
    void othersResolve(String body) {
        assertThat(put(body).status()).isIn(200, 201);
        assertThat(hub.get("/reader").body()).isEqualTo("x hello y");
    }

    @Test
    void aSettingThatIsNoSecretResolves() {
        assertThat(put("constant: '{{hub.orders.style}}'").status()).isIn(200, 201);
        assertThat(hub.get("/reader").body()).isEqualTo("queue");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "constant: '{{hub.store.password}}'",
                "constant: '{{hub.store.password:none}}'",
                "constant: '{{?hub.store.password}}'",
                "constant: '{{HUB_STORE_PASSWORD}}'",
                "constant: '{{hub-store-password}}'",
                "constant: '{{sys:hub.store.password}}'",
                "constant: '{{env:HUB_STORE_PASSWORD}}'",
                "constant: '{{env:hub.store.password:none}}'",
                "constant: '{{env:HUB_SECURITY_API_KEYS}}'",
                "constant: '{{hub.security.api-keys}}'",
                "constant: '{{hub.jms.url}}'",
                "constant: '{{flow.alias}}'",
                "constant: '{{flow.options}}'",
                "constant: '{{sys:flow.options}}'",
                "constant: '{{{{no.such:hub}}.store.password}}'",
                "simple: '${sys.hub.store.password}'",
                "simple: '$simple{sys:hub.store.password}'",
                "simple: '${env.HUB_STORE_PASSWORD}'",
                "simple: '${sysenv:HUB_SECURITY_API_KEYS}'",
                "simple: '${properties:hub.store.password}'",
                "simple: '${properties:hub.store.password:none}'",
                "simple: '${sys.${header.name}}'",
                "simple: '${camelContext.propertiesComponent.loadProperties}'",
                "simple: '${exchange.context.propertiesComponent}'",
                "simple: '${exchange.getContext().getRegistry()}'",
                "simple: '${bean:type:java.lang.System?method=getenv}'",
                "simple: '${bean:type:io.caravanserai.config.SettingsReader?method=read}'",
                "simple: '${body.class.classLoader}'",
                "method: {beanType: java.lang.System, method: getProperties}",
                "xpath: 'concat(\"{{hub.store.password}}\", \"\")'"
            })
    void aSecretIsRefusedWithItsPlace(String body) {
        Answer refused = put(body);

        assertThat(refused.status()).as(refused.body()).isEqualTo(422);
        assertThat(refused.json().at("/errors/0/line").asInt()).isEqualTo(7);
        assertThat(refused.body())
                .doesNotContain(SECRET)
                .containsAnyOf("secret of the hub", "closed to flows", "cannot look", "must be plain");
    }

    @ParameterizedTest
    @ValueSource(strings = {"secret:x", "file:/etc/passwd", "vault:a/b", "aws:x", "nosuch:x", "?secret:x"})
    void aPlaceholderOfAnUnknownFunctionIsRefused(String placeholder) {
        Answer refused = put("constant: 'x {{" + placeholder + "}} y'");

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.json().at("/errors/0/message").asText()).contains("no placeholder function");
        assertThat(refused.json().at("/errors/0/line").asInt()).isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{{hub.store.password}}", "${sys.hub.store.password}", "${properties:hub.store.password}"})
    void placeholderComposedFromMessageIsNotResolved(String text) {
        String evaluating = """
                - route:
                    id: evaluator
                    from:
                      uri: platform-http:/evaluator
                      steps:
                        - setHeader: {name: Plain, simple: "${body}"}
                        - toD: {uri: "language:simple:${header.Plain}"}
                """;
        assertThat(hub.put("/flows/evaluator.camel.yaml", evaluating, "Content-Type", "application/yaml")
                        .status())
                .isIn(200, 201);

        Answer answer = hub.send("POST", "/evaluator", text, "Content-Type", "text/plain")
                .join();

        assertThat(answer.body()).doesNotContain(SECRET);
        assertThat(answer.status()).isEqualTo(500);
    }

    @Test
    void flowsUseOnlyAllowedComponents() throws Exception {
        Path routes = Files.createDirectories(folder.resolve("limited/routes"));
        Files.copy(
                Path.of("src/main/resources/routes/order-request-reply.camel.yaml"),
                routes.resolve("order-request-reply.camel.yaml"));
        try (TestHub limited = TestHub.start(
                folder.resolve("limited/data"),
                Map.of(
                        "hub.routes.dir",
                        routes.toString(),
                        "hub.flows.allowed-components",
                        "platform-http, log, language:simple"))) {
            String allowed = """
                    - route:
                        id: allowed
                        from:
                          uri: platform-http:/allowed
                          steps:
                            - setBody: {simple: "${header.x}"}
                            - to: log:allowed
                    """;
            assertThat(limited.put("/flows/allowed.camel.yaml", allowed, "Content-Type", "application/yaml")
                            .status())
                    .isEqualTo(201);
            for (String step : new String[] {
                "to: file:out",
                "toD: 'file:${header.x}'",
                "setBody: {jsonpath: $.x}",
                "bean: {ref: other}",
                "to: bean:other",
                "setBody: {method: {ref: other, method: x}}",
                "to: language:xpath:a",
                "to: kamelet:http-call?url=http://localhost:9/x"
            }) {
                Answer refused = limited.put(
                        "/flows/allowed.camel.yaml",
                        allowed.replace("to: log:allowed", step),
                        "Content-Type",
                        "application/yaml");
                assertThat(refused.status()).as(step).isEqualTo(422);
                assertThat(refused.json().at("/errors/0/message").asText())
                        .contains("is not allowed: hub.flows.allowed-components does not list it");
                assertThat(refused.json().at("/errors/0/line").asInt()).isEqualTo(7);
            }
            assertThat(limited.get("/flows").json().findValues("refused")).isEmpty();
        }
    }
}
