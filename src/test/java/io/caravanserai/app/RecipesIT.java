package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the recipes of docs/flows.md on a hub. */
class RecipesIT {
    private static final String FILE = "order-request-reply.camel.yaml";

    @TempDir
    private Path folder;

    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final List<String> queries = new CopyOnWriteArrayList<>();
    private final AtomicInteger failures = new AtomicInteger();
    private Path routes;
    private HttpServer provider;
    private TestHub hub;

    @BeforeEach
    void start() throws Exception {
        provider = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        provider.setExecutor(Executors.newCachedThreadPool());
        provider.createContext("/", this::answer);
        provider.start();
        routes = Files.createDirectory(folder.resolve("routes"));
        Files.copy(Path.of("src/main/resources/routes", FILE), routes.resolve(FILE));
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
        hub.put("/stock/BELL", "{\"onHand\": 1000}");
    }

    @AfterEach
    void stop() {
        hub.close();
        provider.stop(0);
    }

    /**
     * Declines customers with an id that ends with "poor", rejects "rogue" as fraud; fails a configured number of
     * times.
     */
    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        int status = 200;
        if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            status = 503;
        } else if (path.equals("/charges") && body.contains("poor\"")) {
            status = 402;
        } else if (path.equals("/cases") && body.contains("rogue\"")) {
            status = 403;
        }
        queries.add(path + " " + exchange.getRequestURI().getQuery());
        calls.add(path + " " + exchange.getRequestHeaders().getFirst("orderId") + " " + status);
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    @Test
    void aQueryInTheUrlOfAServiceReachesTheService() throws Exception {
        edit(text -> replace(
                text,
                "request-reply-pay",
                recipe("http-payment").replace("/charges", "/charges?shop=7&name=north%20gate")));

        TestHub.Answer good = order("good-1", "C-rich", 1, "NL");

        assertThat(good.status()).as(good.body()).isEqualTo(201);
        assertThat(queries).contains("/charges name=north gate&shop=7");
    }

    @Test
    void paymentIsTakenByAnHttpService() throws Exception {
        edit(text -> replace(text, "request-reply-pay", recipe("http-payment")));
        failures.set(2);

        TestHub.Answer good = order("good-1", "C-rich", 1, "NL");
        TestHub.Answer declined = order("poor-1", "C-poor", 1, "NL");
        TestHub.Answer unshippable = order("far-1", "C-rich", 1, "AQ");

        assertThat(good.status()).as(good.body()).isEqualTo(201);
        assertThat(declined.status()).isEqualTo(409);
        assertThat(declined.json().path("reason").asText()).isEqualTo("payment-declined");
        assertThat(unshippable.json().path("reason").asText()).isEqualTo("shipping-refused");
        assertThat(calls)
                .containsExactly(
                        "/charges good-1 503",
                        "/charges good-1 503",
                        "/charges good-1 200",
                        "/charges poor-1 402",
                        "/refunds poor-1 200",
                        "/charges far-1 200",
                        "/refunds far-1 200");
        assertThat(payment("good-1")).isEqualTo("CAPTURED");
        assertThat(payment("far-1")).isEqualTo("REFUNDED");
    }

    @Test
    void unavailablePaymentServiceCancelsOrderAfterLastAttempt() throws Exception {
        edit(text -> replace(text, "request-reply-pay", recipe("http-payment")));
        failures.set(5);

        TestHub.Answer away = order("away-1", "C-rich", 1, "NL");

        assertThat(away.json().path("reason").asText()).as(away.body()).isEqualTo("service-unavailable");
        assertThat(calls)
                .containsExactly(
                        "/charges away-1 503",
                        "/charges away-1 503",
                        "/charges away-1 503",
                        "/charges away-1 503",
                        "/charges away-1 503",
                        "/refunds away-1 200");
        assertThat(hub.get("/stock/BELL").json().path("reserved").asInt()).isZero();
        assertThat(hub.get("/events?orderId=away-1").body()).contains("PaymentFailed", "service-unavailable");
    }

    @Test
    void paymentIsTakenByAJmsService() throws Exception {
        // Answers the first request for an order too late.
        write("provider.camel.yaml", """
                - route:
                    id: provider
                    from:
                      uri: jms:queue:charges
                      steps:
                        - kamelet:
                            name: once
                            parameters:
                              name: provider
                              key: ${header.orderId}
                            steps:
                              - delay:
                                  constant: 3000
                        - choice:
                            when:
                              - simple: ${bodyAs(String)} contains 'poor'
                                steps:
                                  - setBody:
                                      constant: declined
                            otherwise:
                              steps:
                                - setBody:
                                    constant: taken
                - route:
                    id: provider-refunds
                    from:
                      uri: jms:queue:refunds
                      steps:
                        - setBody:
                            constant: refunded
                        - toD: file:%s?fileName=${header.orderId}
                """.formatted(folder.resolve("refunds")));
        edit(text -> replace(text, "request-reply-pay", recipe("jms-payment")));

        TestHub.Answer good = order("good-1", "C-rich", 1, "NL");
        TestHub.Answer declined = order("poor-1", "C-poor", 1, "NL");
        TestHub.Answer unshippable = order("far-1", "C-rich", 1, "AQ");

        assertThat(good.status()).as(good.body()).isEqualTo(201);
        assertThat(declined.json().path("reason").asText()).as(declined.body()).isEqualTo("payment-declined");
        assertThat(unshippable.json().path("reason").asText()).isEqualTo("shipping-refused");
        assertThat(payment("good-1")).isEqualTo("CAPTURED");
        assertThat(payment("far-1")).isEqualTo("REFUNDED");
        assertThat(folder.resolve("refunds/far-1")).exists();
        assertThat(folder.resolve("refunds/good-1")).doesNotExist();
    }

    @Test
    void warehouseReceivesOrdersOverKafka() throws Exception {
        hub.close();
        hub = TestHub.start(
                folder.resolve("data"),
                Map.of("hub.routes.dir", routes.toString(), "hub.kafka.brokers", "embedded", "hub.kafka.port", "0"));
        Path warehouse = folder.resolve("warehouse");
        write("warehouse.camel.yaml", """
                - route:
                    id: warehouse
                    from:
                      uri: kafka:warehouse?autoOffsetReset=earliest&groupId=warehouse
                      steps:
                        - toD: file:%s?fileName=${header.kafka.KEY}
                """.formatted(warehouse));
        edit(text -> replace(text, "request-reply-ship", recipe("kafka-warehouse")));

        assertThat(order("good-1", "C-1", 1, "NL").status()).isEqualTo(201);

        await().untilAsserted(
                        () -> assertThat(warehouse.resolve("good-1")).content().contains("BELL"));
    }

    @Test
    void fraudIsCheckedBeforePayment() throws Exception {
        edit(text -> text.replace(
                        "- to: direct:request-reply-pay\n",
                        "- to: direct:request-reply-fraud\n              - to: direct:request-reply-pay\n")
                + "\n"
                + recipe("fraud-check"));

        TestHub.Answer honest = order("honest-1", "C-honest", 1, "NL");
        TestHub.Answer rogue = order("rogue-1", "C-rogue", 1, "NL");

        assertThat(honest.status()).as(honest.body()).isEqualTo(201);
        assertThat(rogue.json().path("reason").asText()).isEqualTo("payment-declined");
        assertThat(calls).containsExactly("/cases honest-1 200", "/cases rogue-1 403", "/closed-cases rogue-1 200");
        assertThat(hub.get("/stock/BELL").json().path("reserved").asInt()).isZero();
    }

    @Test
    void freightDeskReceivesBigOrdersOnce() throws Exception {
        Path desk = folder.resolve("desk");
        write("freight.camel.yaml", recipe("once").replace("file:desk", "file:" + desk));
        // A duplicate message, as after a crash.
        String told = "                    - to: jms:queue:freight\n";
        edit(text -> replace(text, "request-reply-ship", recipe("big-orders").replace(told, told + told)));

        assertThat(order("small-1", "C-1", 100, "NL").status()).isEqualTo(201);
        assertThat(order("big-1", "C-1", 101, "NL").status()).isEqualTo(201);
        assertThat(order("big-2", "C-1", 102, "NL").status()).isEqualTo(201);

        await().untilAsserted(
                        () -> assertThat(desk.resolve("freight.log")).content().endsWith("big-2\n"));
        restart();
        assertThat(order("big-1", "C-1", 101, "NL").status()).isEqualTo(200);
        assertThat(order("big-3", "C-1", 103, "NL").status()).isEqualTo(201);
        await().untilAsserted(() -> assertThat(desk.resolve("freight.log")).hasContent("big-1\nbig-2\nbig-3\n"));
    }

    @Test
    void subscriberReceivesEndedOrders() throws Exception {
        Path audit = folder.resolve("audit");
        write("audit.camel.yaml", recipe("subscriber").replace("file:audit", "file:" + audit));

        order("heard-1", "C-1", 1, "NL");
        order("heard-2", "C-1", 1, "AQ");

        await().untilAsserted(() -> assertThat(audit.resolve("audit.log"))
                .content()
                .contains(" OrderShipped heard-1\n", " OrderCancelled heard-2\n"));
    }

    @Test
    void ordersAreTakenFromAFolder() throws Exception {
        Path inbox = Files.createDirectory(folder.resolve("inbox"));
        write("file-orders.camel.yaml", recipe("file-ingress").replace("file:inbox", "file:" + inbox));

        Files.writeString(inbox.resolve("one.json"), orderJson("dropped-1", "C-1", 1, "NL"));

        await().until(() ->
                hub.get("/orders/dropped-1").json().path("status").asText().equals("SHIPPED"));
    }

    private void restart() throws Exception {
        hub.close();
        hub = TestHub.start(folder.resolve("data"), Map.of("hub.routes.dir", routes.toString()));
    }

    private interface Edit {
        String of(String text) throws IOException;
    }

    /** Edits like a user: saves the file and waits for the new version in the list of flows. */
    private void edit(Edit edit) throws IOException {
        Path path = routes.resolve(FILE);
        int version = version(FILE);
        Files.writeString(path, edit.of(Files.readString(path)));
        awaitVersion(FILE, version + 1);
    }

    private void write(String file, String text) throws IOException {
        Files.writeString(routes.resolve(file), text);
        awaitVersion(file, 1);
    }

    private void awaitVersion(String file, int version) {
        await().untilAsserted(() ->
                assertThat(version(file)).as(hub.get("/flows").body()).isEqualTo(version));
    }

    private int version(String file) {
        for (var flow : hub.get("/flows").json().path("items")) {
            if (flow.path("file").asText().equals(file)) {
                return flow.path("version").asInt();
            }
        }
        return 0;
    }

    private String payment(String orderId) {
        return hub.get("/payments?orderId=" + orderId)
                .json()
                .path("items")
                .path(0)
                .path("status")
                .asText();
    }

    private TestHub.Answer order(String id, String customer, int quantity, String country) {
        return hub.post("/orders", orderJson(id, customer, quantity, country));
    }

    private static String orderJson(String id, String customer, int quantity, String country) {
        return """
                {"orderId": "%s", "customerId": "%s", "items": [{"sku": "BELL", "quantity": %d, "unitPrice": 5.00}],
                 "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "%s"}}
                """.formatted(id, customer, quantity, country);
    }

    /**
     * Returns the recipe from the documentation, with the address of the provider and longer timeouts for a slow
     * machine.
     */
    private String recipe(String name) throws IOException {
        String page = Files.readString(Path.of("docs", "flows.md"));
        int begin = page.indexOf("```yaml\n", page.indexOf("<!-- recipe: " + name + " -->")) + "```yaml\n".length();
        return page.substring(begin, page.indexOf("```", begin))
                .replaceAll("(?m)^( +)(url: .*)$", "$1$2\n$1timeout: 60000")
                .replace("localhost:9090", "127.0.0.1:" + provider.getAddress().getPort());
    }

    /** Replaces a route by the recipe. */
    private static String replace(String text, String route, String recipe) {
        String kept = items(text).stream()
                .filter(item -> !item.contains("    id: " + route + "\n"))
                .collect(Collectors.joining("\n"));
        return kept + "\n" + recipe;
    }

    private static List<String> items(String text) {
        return Arrays.stream(text.split("(?m)^(?=- )"))
                .map(item -> item.stripTrailing() + "\n")
                .toList();
    }
}
