package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.caravanserai.app.FreePort;
import io.caravanserai.broker.ArtemisProcess;
import io.caravanserai.order.Style;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A packaged hub with an Artemis broker in a separate process, which starts late or is killed under load.
 * {@code -Dcrash.seed=} repeats the choices, {@code -Dcrash.kills=} sets the number of kills of the broker.
 */
class OutsideBrokerIT {
    private static final long SEED = Long.getLong("crash.seed", System.nanoTime() & 0xffffff);
    private static final int KILLS = Integer.getInteger("crash.kills", 2);
    private static final Map<String, Long> STOCK = Map.of(TestOrder.PLENTY, 1_000_000L, TestOrder.SCARCE, 20L);
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    /** Duration of the outage while log lines are counted: the span of the measurement, no wait for an event. */
    private static final Duration AWAY = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private int brokerPort;
    private Path data;

    @BeforeEach
    void choosePlaces() {
        brokerPort = FreePort.take();
        data = folder.resolve("hub/data");
    }

    private HubProcess hub() {
        return new HubProcess(Distribution.built(), data)
                .set("hub.jms.url", "tcp://127.0.0.1:" + brokerPort)
                .set("hub.saga.timeout", "1h");
    }

    private ArtemisProcess broker() throws IOException {
        return ArtemisProcess.start(folder.resolve("broker"), brokerPort);
    }

    @Test
    void hubServesReportsMissingBrokerAndCatchesUp() throws Exception {
        long began = System.nanoTime();
        try (HubProcess hub = hub().start()) {
            Rest rest = new Rest(hub.url());
            await().ignoreExceptions().until(() -> rest.get("/stock").status() == 200);
            // Far less than the five seconds that each of a dozen subscriptions would wait for a broker.
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(45));
            System.out.printf("served %.1f s after the start, without a broker%n", (System.nanoTime() - began) / 1e9);
            await().untilAsserted(() -> {
                Rest.Answer ready = rest.get("/observe/health/ready");
                assertThat(ready.status()).isEqualTo(503);
                assertThat(ready.body().toString())
                        .contains("hub.jms.url", "\"DOWN\"", "{\"name\":\"start\",\"status\":\"UP\"}");
            });
            await().until(() -> hub.log().contains("Try an order"));
            assertThat(hub.log()).contains("not ready yet: ", "hub.jms.url").doesNotContain("is ready");
            rest.put("/stock/" + TestOrder.PLENTY, "{\"onHand\": 1000000}");
            Map<String, TestOrder> posted = new HashMap<>();
            for (Style style : Style.values()) {
                TestOrder order = order("early-" + style.wire());
                posted.put(order.id(), order);
                boolean needsNoBroker = style == Style.REQUEST_REPLY;
                int status = rest.post(
                                "/orders?style=" + style.wire(),
                                order.json(),
                                "Prefer",
                                needsNoBroker ? "wait=60" : "wait=1")
                        .status();
                assertThat(status).isEqualTo(needsNoBroker ? 201 : 202);
            }

            ArtemisProcess broker = broker();
            try {
                hub.awaitReady();
                Promises promises = new Promises(rest);
                promises.awaitEnds(PATIENCE);
                promises.check(posted, posted.keySet(), Map.of());
                // No subscription existed at this broker before; the first events are delivered all the same.
                everybodyHeard(rest, posted.keySet());
            } finally {
                broker.close();
            }
        }
    }

    @Test
    void brokerOutageOrFreezeIsLoggedInFewLines() throws Exception {
        ArtemisProcess broker = broker();
        try (HubProcess hub = hub().start().awaitReady()) {
            Rest rest = new Rest(hub.url());
            long quiet = troubles(hub);
            broker.freeze();
            rest.post("/orders?style=queue", order("frozen").json(), "Prefer", "respond-async");
            await().until(() -> rest.get("/observe/health/ready").status() == 503);
            broker.kill();
            rest.post("/orders?style=pubsub", order("away").json(), "Prefer", "respond-async");
            rest.post("/orders?style=choreography", order("gone").json(), "Prefer", "respond-async");
            await().pollDelay(AWAY).until(() -> true);
            assertThat(troubles(hub) - quiet)
                    .as("lines of warnings and errors, and of stack traces:%n%s", hub.log())
                    .isBetween(1L, 20L);
            broker = broker();
            hub.awaitReady();
            new Promises(rest).awaitEnds(PATIENCE);
            assertThat(hub.log()).contains("available again");
        } finally {
            broker.close();
        }
    }

    /** Log lines at WARN or ERROR, and lines of stack traces. */
    private static long troubles(HubProcess hub) throws IOException {
        return hub.log()
                .lines()
                .filter(line -> line.contains(" WARN ") || line.contains(" ERROR ") || line.startsWith("\tat "))
                .count();
    }

    @Test
    void ordersOfEveryStyleEndAsPromisedWhenTheBrokerIsKilledUnderLoad() throws Exception {
        System.out.println("crash.seed=" + SEED);
        Random choice = new Random(SEED);
        ArtemisProcess broker = broker();
        try (HubProcess hub = hub().start().awaitReady()) {
            Rest rest = new Rest(hub.url());
            List<Customers> everybody = new ArrayList<>();
            for (Style style : Style.values()) {
                String path = "/orders?style=" + style.wire();
                everybody.add(new Customers(rest, path, SEED + style.ordinal()));
            }
            everybody.get(0).stock();
            everybody.forEach(customers -> customers.start(2));
            for (int kill = 1; kill <= KILLS; kill++) {
                everybody.get(choice.nextInt(everybody.size())).awaitMore(1 + choice.nextInt(10));
                broker.kill();
                everybody.get(Style.REQUEST_REPLY.ordinal()).awaitMore(choice.nextInt(10));
                broker = broker();
                hub.awaitReady();
            }
            Map<String, TestOrder> posted = new HashMap<>();
            Set<String> answered = new HashSet<>();
            for (Customers customers : everybody) {
                customers.close();
                posted.putAll(customers.posted());
                answered.addAll(customers.answered());
            }
            Promises promises = new Promises(rest);
            promises.awaitEnds(PATIENCE);
            promises.check(posted, answered, STOCK);
            everybodyHeard(rest, ids(rest));
            assertThat(rest.all("/dead-letters")).isEmpty();
            System.out.println(
                    KILLS + " kills of the broker, " + answered.size() + " orders answered, all as promised");
        } finally {
            broker.close();
        }
    }

    private static Set<String> ids(Rest rest) throws IOException {
        Set<String> ids = new TreeSet<>();
        rest.all("/orders").forEach(order -> ids.add(order.path("orderId").asText()));
        return ids;
    }

    private static TestOrder order(String id) {
        return new TestOrder(id, TestOrder.PLENTY, 1, BigDecimal.TEN, "pm_card_visa", "NL", Set.of("SHIPPED"));
    }

    /** Waits until each order is counted and each customer is notified of the end. */
    private void everybodyHeard(Rest rest, Set<String> orders) {
        // A line may be incomplete while being written.
        await().ignoreException(JsonProcessingException.class).untilAsserted(() -> {
            assertThat(rest.get("/analytics").body().path("orders").asInt()).isEqualTo(orders.size());
            assertThat(told()).containsExactlyInAnyOrderElementsOf(orders);
        });
    }

    private Set<String> told() throws IOException {
        Set<String> told = new TreeSet<>();
        for (String line : Files.readAllLines(data.resolve("notifications.jsonl"))) {
            JsonNode message = new ObjectMapper().readTree(line);
            if (!message.path("type").asText().equals("OrderCreated")) {
                told.add(message.path("orderId").asText());
            }
        }
        return told;
    }
}
