package io.caravanserai.flow;

import io.caravanserai.flow.deploy.FlowState;
import io.caravanserai.flow.deploy.OrdersCarried;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.store.SqliteStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;

/**
 * Flows on a real context, store and folder, with the Java endpoints {@code direct:service} and {@code direct:slow}.
 */
final class FlowHub implements AutoCloseable {
    final List<OrdersCarried.Carried> carried = new CopyOnWriteArrayList<>();
    final CompletableFuture<Void> gate = new CompletableFuture<>();
    final Path routes;
    private final Path data;
    SqliteStore store;
    DefaultCamelContext context;
    Flows flows;
    ProducerTemplate template;

    FlowHub(Path folder) throws Exception {
        this.routes = Files.createDirectories(folder.resolve("routes"));
        this.data = folder.resolve("data");
        open();
    }

    private void open() throws Exception {
        store = SqliteStore.open(data);
        context = new DefaultCamelContext();
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:service").routeId("service").transform(body().append(" served"));
                from("direct:slow").routeId("slow").process(exchange -> gate.join());
            }
        });
        context.start();
        template = context.createProducerTemplate();
        flows = new Flows(
                context,
                store,
                routes,
                Clock.systemUTC(),
                () -> CompletableFuture.completedFuture(List.copyOf(carried)));
    }

    FlowHub start() {
        flows.start();
        return this;
    }

    void restart() throws Exception {
        close();
        open();
        start();
    }

    String send(String uri) {
        return template.requestBody(uri, "hello", String.class);
    }

    void write(String flow, String text) throws IOException {
        Files.writeString(file(flow), text);
    }

    void writeKamelet(String name, String text) throws IOException {
        Files.writeString(Files.createDirectories(kamelet(name).getParent()).resolve(name + Kamelets.ENDING), text);
    }

    Path kamelet(String name) {
        return routes.resolveSibling("kamelets").resolve(name + Kamelets.ENDING);
    }

    Path file(String flow) {
        return routes.resolve(FlowVersion.fileOf(flow));
    }

    int version(String flow) {
        return flows.newest(flow).orElseThrow().version().version();
    }

    FlowState state(String flow) {
        return flows.states().join().stream()
                .filter(state -> state.flow().equals(flow))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void close() {
        gate.complete(null);
        flows.close();
        context.stop();
        store.close();
    }

    /** A flow of two routes with the answer {@code hello WORD served}. */
    static String greeting(String flow, String word) {
        return """
                - route:
                    id: FLOW
                    from:
                      uri: direct:FLOW
                      steps:
                        - to:
                            id: call-FLOW
                            uri: direct
                            parameters:
                              name: greet-FLOW
                - route:
                    from:
                      uri: direct
                      parameters:
                        name: greet-FLOW
                      steps:
                        - setBody:
                            id: greet-FLOW
                            simple: "${body} WORD"
                        - to: direct:service
                """.replace("FLOW", flow).replace("WORD", word);
    }

    /** A flow with one failing step. */
    static String failing(String flow) {
        return """
                - route:
                    id: FLOW
                    from:
                      uri: direct:FLOW
                      steps:
                        - throwException:
                            exceptionType: java.lang.IllegalStateException
                            message: broken
                """.replace("FLOW", flow);
    }

    /** A route configuration that answers a failure with {@code caught by WORD}. */
    static String catching(String word) {
        return """
                - routeConfiguration:
                    onException:
                      - onException:
                          exception:
                            - java.lang.IllegalStateException
                          handled:
                            constant: "true"
                          steps:
                            - setBody:
                                constant: caught by WORD
                """.replace("WORD", word);
    }

    /** A flow with the answer of the Kamelet {@code greet} to {@code hello}. */
    static String naming(String flow) {
        return """
                - route:
                    id: FLOW
                    from:
                      uri: direct:FLOW
                      steps:
                        - to: kamelet:greet
                """.replace("FLOW", flow);
    }

    /** A Kamelet with the answer {@code hello WORD}. */
    static String greet(String word) {
        return """
                apiVersion: camel.apache.org/v1
                kind: Kamelet
                metadata:
                  name: greet
                spec:
                  definition:
                    title: Greet
                  template:
                    from:
                      uri: kamelet:source
                      steps:
                        - setBody:
                            simple: "${body} WORD"
                """.replace("WORD", word);
    }
}
