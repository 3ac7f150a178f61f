package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.config.SettingsReader;
import io.caravanserai.order.OrderJson;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random valid and invalid edits while orders run in every style. {@code -Dedits=1000} sets the number of edits;
 * without the property the test stops editing after a while. {@code -Dseed} repeats the edits of an earlier run.
 */
class ManyFlowEditsIT {
    private static final int EDITS = Integer.getInteger("edits", 200);
    private static final Duration AT_MOST =
            System.getProperty("edits") == null ? Duration.ofSeconds(20) : Duration.ofHours(1);
    private static final long SEED = Long.getLong("seed", System.nanoTime());
    private static final int CUSTOMERS = 4;
    private static final int STOCK = 10_000_000;

    @TempDir
    private Path folder;

    private final HttpClient http = HttpClient.newHttpClient();
    private final Random chance = new Random(SEED);
    private final Map<String, String> originals = new TreeMap<>();
    private Path routes;
    private Hub hub;

    @BeforeEach
    void start() throws Exception {
        System.out.println("seed " + SEED);
        routes = Files.createDirectory(folder.resolve("routes"));
        try (Stream<Path> files = Files.list(Path.of("src/main/resources/routes"))) {
            for (Path file : files.filter(each -> each.getFileName().toString().matches("order-.*[.]camel[.]yaml"))
                    .toList()) {
                String name = file.getFileName().toString();
                originals.put(name, Files.readString(file));
                Files.writeString(routes.resolve(name), originals.get(name));
            }
        }
        hub = Hub.start(new SettingsReader(
                        Map.of(),
                        Map.of(
                                "hub.data.dir",
                                folder.resolve("data").toString(),
                                "hub.routes.dir",
                                routes.toString(),
                                "hub.saga.timeout",
                                "1h",
                                "hub.http.port",
                                "0",
                                "hub.jms.port",
                                "0"))
                .read()
                .settings());
        assertThat(send("PUT", "/stock/BELL", "application/json", "{\"onHand\": " + STOCK + "}")
                        .statusCode())
                .isEqualTo(200);
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void noOrderIsLostFailsOrHasAnEffectTwice() throws Exception {
        AtomicBoolean editing = new AtomicBoolean(true);
        ConcurrentLinkedQueue<String> orders = new ConcurrentLinkedQueue<>();
        AtomicLong longest = new AtomicLong();
        AtomicInteger accepted = new AtomicInteger();
        AtomicLong longestSwap = new AtomicLong();
        ExecutorService customers = Executors.newFixedThreadPool(CUSTOMERS);
        List<CompletableFuture<Void>> done = new ArrayList<>();
        for (int i = 0; i < CUSTOMERS; i++) {
            int first = i;
            done.add(CompletableFuture.runAsync(() -> buy(first, editing, orders, longest), customers));
        }

        long began = System.nanoTime();
        int edits = 0;
        while (edits < EDITS && System.nanoTime() - began < AT_MOST.toNanos()) {
            long sent = System.nanoTime();
            accepted.addAndGet(edit(edits++));
            longestSwap.accumulateAndGet(System.nanoTime() - sent, Math::max);
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        editing.set(false);
        CompletableFuture.allOf(done.toArray(CompletableFuture[]::new)).join();
        customers.shutdown();

        System.out.printf(
                "%d edits (%d good), %d orders in %.1f s, longest wait of an order %d ms, of an edit %d ms, seed %d%n",
                edits,
                accepted.get(),
                orders.size(),
                seconds,
                longest.get() / 1_000_000,
                longestSwap.get() / 1_000_000,
                SEED);
        for (String order : orders) {
            await().pollDelay(Duration.ZERO)
                    .until(() ->
                            json("/orders/" + order).path("status").asText().equals("SHIPPED"));
            assertThat(json("/payments?orderId=" + order).path("items"))
                    .as(order)
                    .hasSize(1);
            assertThat(json("/shipments?orderId=" + order).path("items"))
                    .as(order)
                    .hasSize(1);
        }
        JsonNode stock = json("/stock/BELL");
        assertThat(stock.path("shipped").asInt()).isEqualTo(orders.size());
        assertThat(stock.path("reserved").asInt()).isZero();
        assertThat(stock.path("onHand").asInt()).isEqualTo(STOCK - orders.size());
        // Stopping the routes of one version takes seconds, and the test has many versions.
        await().atMost(Duration.ofMinutes(10)).until(this::onlyTheNewestVersionsRun);
    }

    private boolean onlyTheNewestVersionsRun() throws Exception {
        for (JsonNode flow : json("/flows").path("items")) {
            if (flow.path("versions").size() > 1) {
                return false;
            }
        }
        return true;
    }

    private void buy(int first, AtomicBoolean editing, ConcurrentLinkedQueue<String> orders, AtomicLong longest) {
        List<String> styles = originals.keySet().stream()
                .map(file -> file.replace("order-", "").replace(".camel.yaml", ""))
                .toList();
        try {
            for (int number = first; editing.get(); number++) {
                long sent = System.nanoTime();
                HttpResponse<String> answer =
                        send("POST", "/orders?style=" + styles.get(number % styles.size()), "application/json", """
                        {"customerId": "C-1", "items": [{"sku": "BELL", "quantity": 1, "unitPrice": 5.00}],
                         "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}
                        """);
                longest.accumulateAndGet(System.nanoTime() - sent, Math::max);
                assertThat(answer.statusCode()).as(answer.body()).isIn(201, 202);
                orders.add(
                        OrderJson.MAPPER.readTree(answer.body()).path("orderId").asText());
            }
        } catch (Exception e) {
            throw new IllegalStateException("an order failed", e);
        }
    }

    /** Returns 1 for an edit that must be accepted; asserts the acceptance or the refusal. */
    private int edit(int number) throws Exception {
        List<String> files = List.copyOf(originals.keySet());
        String file = files.get(chance.nextInt(files.size()));
        String text = originals.get(file);
        int line = text.indexOf("    description: ", text.indexOf("- route:"));
        return switch (chance.nextInt(15)) {
            case 0, 1 -> good(file, "# Edit " + number + "\n" + text);
            case 2 -> good(file, text.substring(0, line) + "    note: edit " + number + "\n" + text.substring(line));
            case 3 -> good("extra.camel.yaml", extra("extra", number));
            case 4 -> inTheFolder(file, text + "# Edit " + number + "\n");
            case 5 -> removeExtra();
            case 6 -> bad(file, text.substring(0, 1 + chance.nextInt(text.length() / 2)) + "\n  : [");
            case 7 -> bad(file, text.replaceFirst("to: direct:", "to: driect:"));
            case 8 -> bad(file, text.replaceFirst("to: direct:[a-z-]+", "to: seda:x?siz=" + number));
            case 9 -> bad(file, text.replaceFirst("- to: direct:[a-z-]+", "- bean: {ref: nobody" + number + "}"));
            case 10 -> badInTheFolder(file, text.replaceFirst("to: direct:", "to: driect:"));
            case 11 -> badInTheFolder(file, text.substring(0, 1 + chance.nextInt(text.length() / 2)) + "\n  : [");
            case 12 -> good(file, withOneMoreStep(text, number));
            case 13 -> bad("clash.camel.yaml", extra(file.replace(".camel.yaml", ""), number));
            default -> bad(file, "");
        };
    }

    private static String withOneMoreStep(String text, int number) {
        return text.replaceFirst(
                "(?m)^( *)- to: direct:ship-order$",
                "$1- to: direct:ship-order\n$1- setVariable: {name: edit, constant: \"" + number + "\"}");
    }

    private static String extra(String id, int number) {
        return """
                - route:
                    id: ID
                    from:
                      uri: timer:ID?period=500
                      steps:
                        - setBody:
                            constant: edit NUMBER
                """.replace("ID", id).replace("NUMBER", String.valueOf(number));
    }

    private int good(String file, String text) throws Exception {
        HttpResponse<String> answer = send("PUT", "/flows/" + file, "application/yaml", text);
        assertThat(answer.statusCode()).as(answer.body()).isIn(200, 201);
        return 1;
    }

    private int bad(String file, String text) throws Exception {
        HttpResponse<String> answer = send("PUT", "/flows/" + file, "application/yaml", text);
        assertThat(answer.statusCode()).as(text).isEqualTo(422);
        return 0;
    }

    /** Writes like an editor: truncates, then writes two parts. */
    private int inTheFolder(String file, String text) throws IOException {
        Path path = routes.resolve(file);
        Files.writeString(path, "");
        Files.writeString(path, text.substring(0, text.length() / 2));
        Files.writeString(path, text);
        return 1;
    }

    /** Stays unchanged until the next edit of the file. */
    private int badInTheFolder(String file, String text) throws IOException {
        Files.writeString(routes.resolve(file), text);
        return 0;
    }

    private int removeExtra() throws IOException {
        Files.deleteIfExists(routes.resolve("extra.camel.yaml"));
        return 0;
    }

    private JsonNode json(String path) throws Exception {
        HttpResponse<String> answer = send("GET", path, null, null);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return OrderJson.MAPPER.readTree(answer.body());
    }

    private HttpResponse<String> send(String method, String path, String type, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + hub.port() + path))
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (type != null) {
            request.header("Content-Type", type);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
