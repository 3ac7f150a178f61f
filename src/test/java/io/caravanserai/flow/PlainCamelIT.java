package io.caravanserai.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.caravanserai.flow.check.SchemaCheck;
import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.service.CommandReply;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.stub.StubComponent;
import org.apache.camel.main.Main;
import org.apache.camel.support.processor.idempotent.MemoryIdempotentRepository;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * The flows and Kamelets of the hub run in plain Camel, with stubs for the endpoints and brokers of the hub, so that
 * any Camel tool can use the files.
 */
class PlainCamelIT {
    private static final Path ROUTES = Path.of("src/main/resources/routes");
    private static final Path KAMELETS = Path.of("src/main/resources/kamelets");

    @TempDir
    private Path folder;

    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final Main camel = new Main();
    private HttpServer provider;

    @BeforeEach
    void startProvider() throws IOException {
        provider = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        provider.setExecutor(Executors.newCachedThreadPool());
        provider.createContext("/", exchange -> {
            calls.add(exchange.getRequestURI().getPath());
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        provider.start();
    }

    @AfterEach
    void stop() {
        camel.stop();
        provider.stop(0);
    }

    static Stream<Path> flows() throws IOException {
        return files(ROUTES);
    }

    static Stream<Path> kamelets() throws IOException {
        return files(KAMELETS);
    }

    private static Stream<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".yaml")).toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("flows")
    void everyFlowIsWrittenAsEditorsExpect(Path file) throws IOException {
        Node root = Nodes.parse(file.toString(), Files.readString(file)).orElseThrow();

        assertThat(SchemaCheck.check(file.toString(), root)).isEmpty();
        for (String kind : List.of("route", "routeConfiguration", "onException")) {
            for (Node each : Nodes.valuesOf(root, kind)) {
                // In a route configuration the key of the same name has a list.
                if (each instanceof SequenceNode) {
                    continue;
                }
                assertThat(Nodes.text(each, "id")).as(kind).isPresent();
                assertThat(Nodes.text(each, "description")).as(kind).isPresent();
            }
        }
        assertThat(Nodes.valuesOf(root, "compensation"))
                .allSatisfy(compensation -> assertThat(Nodes.text(compensation, "uri"))
                        .as("compensation in the form that Kaoto shows")
                        .isPresent());
        for (String language : List.of("simple", "header", "constant", "jsonpath")) {
            int nested = 0;
            for (String place : List.of("expression", "handled", "continued")) {
                nested += (int) Nodes.valuesOf(root, place).stream()
                        .filter(expression -> Nodes.value(expression, language).isPresent())
                        .count();
            }
            assertThat(nested)
                    .as("expressions in " + language + " have a place")
                    .isEqualTo(Nodes.keysOf(root, language).size());
        }
    }

    @ParameterizedTest
    @MethodSource("kamelets")
    void everyKameletHasTitlesAndDescriptionsForEditors(Path file) throws IOException {
        Node root = Nodes.parse(file.toString(), Files.readString(file)).orElseThrow();

        assertThat(Nodes.text(root, "kind")).contains("Kamelet");
        assertThat(Nodes.value(root, "metadata").flatMap(metadata -> Nodes.text(metadata, "name")))
                .contains(file.getFileName().toString().replace(".kamelet.yaml", ""));
        Node definition = Nodes.value(root, "spec")
                .flatMap(spec -> Nodes.value(spec, "definition"))
                .orElseThrow();
        assertThat(Nodes.text(definition, "title")).isPresent();
        assertThat(Nodes.text(definition, "description")).isPresent();
        Nodes.walk(Nodes.value(definition, "properties").orElseThrow(), each -> {
            if (Nodes.value(each, "type").isPresent()) {
                assertThat(Nodes.text(each, "title")).isPresent();
                assertThat(Nodes.text(each, "description")).isPresent();
            }
        });
    }

    @ParameterizedTest
    @MethodSource("flows")
    void everyFlowStarts(Path file) throws Exception {
        start(Files.readString(file));

        assertThat(camel.getCamelContext().getRoutesSize()).isGreaterThan(1);
    }

    @Test
    void anOrderGoesThroughRequestReply() throws Exception {
        start(Files.readString(ROUTES.resolve("order-request-reply.camel.yaml")));

        order("direct:order-request-reply");

        assertThat(calls)
                .startsWith("create-order", "reserve-items", "process-payment", "ship-order")
                .contains("notify-customer", "count-order");
    }

    @Test
    void anOrderGoesThroughQueues() throws Exception {
        start(Files.readString(ROUTES.resolve("order-queue.camel.yaml")));

        order("direct:order-queue");

        await().until(() -> calls.contains("count-order") && calls.contains("notify-customer"));
        assertThat(calls).startsWith("create-order", "reserve-items", "process-payment", "ship-order");
    }

    @Test
    void kameletsWorkInPlainCamelAsInHub() throws Exception {
        start("""
                - route:
                    id: call
                    description: Calls a service once for an order.
                    from:
                      uri: direct:call
                      steps:
                        - kamelet:
                            name: once
                            parameters:
                              name: call
                              key: ${header.orderId}
                            steps:
                              - to:
                                  uri: kamelet:http-call
                                  parameters:
                                    url: http://127.0.0.1:PORT/charges
                              - to: direct:payment-captured
                """.replace("PORT", String.valueOf(provider.getAddress().getPort())));

        order("direct:call");
        order("direct:call");

        assertThat(calls).containsExactly("/charges", "payment-captured");
    }

    private void order(String uri) throws Exception {
        camel.getCamelTemplate().requestBodyAndHeader(uri, "{\"items\": []}", "orderId", "o-1");
    }

    /** Loads in the same way as {@code camel run}: a file and the folder of Kamelets, without the hub. */
    private void start(String text) throws Exception {
        Path file = Files.writeString(folder.resolve("flow.camel.yaml"), text);
        camel.configure().withRoutesIncludePattern("file:" + file);
        camel.addOverrideProperty("camel.component.kamelet.location", "file:" + KAMELETS);
        camel.bind("commandReply", new CommandReply());
        camel.addOverrideProperty("camel.beans.sagaService", "#class:org.apache.camel.saga.InMemorySagaService");
        camel.bind("once", new MemoryIdempotentRepository());
        camel.bind("jms", new StubComponent());
        camel.bind("events", new StubComponent());
        camel.configure().addRoutesBuilder(standIns(text));
        camel.start();
    }

    private RouteBuilder standIns(String text) {
        Set<String> names = new TreeSet<>(Set.of("direct:service-unavailable"));
        Node root = Nodes.parse("flow", text).orElseThrow();
        List<String> served = new ArrayList<>();
        for (EndpointUse use : EndpointUse.in(root)) {
            if (use.role().equals("from")) {
                served.add(use.full());
            } else if (use.full().startsWith("direct:")) {
                names.add(use.full());
            }
        }
        served.forEach(names::remove);
        return new RouteBuilder() {
            @Override
            public void configure() {
                names.forEach(name -> from(name).process(exchange -> calls.add(name.substring("direct:".length()))));
            }
        };
    }
}
