package io.caravanserai.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravanserai.store.SqliteStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlowsIT {
    @TempDir
    private Path folder;

    private final List<OrdersCarried.Carried> carried = new ArrayList<>();
    private SqliteStore store;
    private DefaultCamelContext context;
    private Flows flows;

    @BeforeEach
    void startHub() throws Exception {
        Files.createDirectories(folder.resolve("routes"));
        store = SqliteStore.open(folder.resolve("data"));
        context = new DefaultCamelContext();
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:service").transform(body().append(" served"));
            }
        });
        context.start();
        flows = new Flows(
                context,
                store,
                folder.resolve("routes"),
                Clock.systemUTC(),
                () -> CompletableFuture.completedFuture(carried));
    }

    @AfterEach
    void stopHub() {
        flows.close();
        context.stop();
        store.close();
    }

    @Test
    void ordersEnterTheNewestVersionAndItsLocalNamesAreItsOwn() throws Exception {
        write("order-queue", greeting("one"));

        flows.start();

        Entrance entrance = flows.newest("order-queue").orElseThrow();
        assertThat(entrance).isEqualTo(new Entrance("order-queue", 1, "direct:order-queue@1"));
        assertThat(send(entrance.uri())).isEqualTo("hello one served");
        assertThat(send("direct:order-queue")).isEqualTo("hello one served");
        assertThat(context.getRoute("order-queue@1")).isNotNull();
        assertThat(context.getRoute("order-queue-2@1")).isNotNull();
    }

    @Test
    void anUnchangedTextKeepsItsVersionOverRestartsAndAChangedOneRunsBesideTheOldThatStillCarriesOrders()
            throws Exception {
        write("order-queue", greeting("one"));
        flows.start();
        restart();
        assertThat(flows.newest("order-queue").orElseThrow().version()).isEqualTo(1);

        write("order-queue", greeting("two"));
        carried.add(new OrdersCarried.Carried("order-queue", 1, 3));
        restart();

        assertThat(flows.newest("order-queue").orElseThrow().version()).isEqualTo(2);
        assertThat(send(flows.endpoint("order-queue", 1))).isEqualTo("hello one served");
        assertThat(send(flows.endpoint("order-queue", 2))).isEqualTo("hello two served");
        assertThat(send("direct:order-queue")).isEqualTo("hello two served");
    }

    private void restart() throws Exception {
        stopHub();
        startHub();
        flows.start();
    }

    private String send(String uri) {
        return context.createProducerTemplate().requestBody(uri, "hello", String.class);
    }

    private void write(String flow, String text) throws IOException {
        Files.writeString(folder.resolve("routes").resolve(FlowVersion.fileOf(flow)), text);
    }

    private static String greeting(String word) {
        return """
                - route:
                    id: order-queue
                    from:
                      uri: direct:order-queue
                      steps:
                        - to:
                            id: call
                            uri: direct
                            parameters:
                              name: greet
                - route:
                    from:
                      uri: direct
                      parameters:
                        name: greet
                      steps:
                        - setBody:
                            id: greet
                            simple: "${body} %s"
                        - to: direct:service
                """.formatted(word);
    }
}
