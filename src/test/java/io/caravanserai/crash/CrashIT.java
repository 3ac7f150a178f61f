package io.caravanserai.crash;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills the distribution with SIGKILL under load, restarts the hub, and checks the promises over REST.
 * <p>The seed is logged; {@code -Dcrash.seed=} repeats the choices, {@code -Dcrash.kills=} sets the number of random
 * kills.
 */
class CrashIT {
    private static final long SEED = Long.getLong("crash.seed", System.nanoTime() & 0xffffff);
    private static final int RANDOM_KILLS = Integer.getInteger("crash.kills", 8);
    private static final Map<String, Long> STOCK = Map.of(TestOrder.PLENTY, 1_000_000L, TestOrder.SCARCE, 20L);
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    /** Occurrences in some eighty orders; a rarer point may not occur again while the test waits. */
    private static final int OFTEN = 3;
    /** Units of a first start on an empty folder, which do not occur under load. */
    private static final List<String> OF_FIRST_STARTS = List.of("accept-flow", "seed-stock");

    @TempDir
    static Path folder;

    private static Path home;
    private final Random choice = new Random(SEED);

    @BeforeAll
    static void makeDistribution() throws Exception {
        home = Distribution.withCrashPoints(folder.resolve("a hub"));
        System.out.println("crash.seed=" + SEED);
    }

    @Test
    void ordersEndAsPromisedAfterKillsAtRandomMoments() throws Exception {
        try (HubProcess hub = hub("random")) {
            hub.start().awaitReady();
            Rest rest = new Rest(hub.url());
            Customers customers = new Customers(rest, "/orders", SEED);
            customers.stock();
            customers.start(4);
            for (int kill = 1; kill <= RANDOM_KILLS; kill++) {
                customers.awaitMore(choice.nextInt(25));
                TimeUnit.MILLISECONDS.sleep(choice.nextInt(300));
                hub.kill9();
                hub.start();
                if (choice.nextBoolean()) {
                    hub.awaitReady();
                }
            }
            hub.awaitReady();
            finish(rest, customers);
        }
    }

    @Test
    void ordersEndAsPromisedAfterKillsAtEachCrashPoint() throws Exception {
        List<String> points = points();
        Collections.shuffle(points, choice);
        System.out.println("crash points: " + points);
        assertThat(points).hasSizeGreaterThanOrEqualTo(20);
        try (HubProcess hub = hub("points")) {
            hub.start().awaitReady();
            Rest rest = new Rest(hub.url());
            Customers customers = new Customers(rest, "/orders", SEED + 1);
            customers.stock();
            hub.stop();
            customers.start(4);
            for (String point : points) {
                killAt(hub, point, 1 + choice.nextInt(4));
            }
            hub.environment("CRASH_FILE", null).start().awaitReady();
            finish(rest, customers);
        }
    }

    @Test
    void hubStartsAfterKillDuringFirstStart() throws Exception {
        for (String unit : OF_FIRST_STARTS) {
            for (String when : List.of("before", "after")) {
                try (HubProcess hub = hub("first-" + unit + when).set("hub.http.wait", "60s")) {
                    killAt(hub, unit + " " + when, 1);
                    hub.environment("CRASH_FILE", null).start().awaitReady();
                    TestOrder order = new TestOrder(
                            "first",
                            "SADDLE-01",
                            1,
                            java.math.BigDecimal.ONE,
                            "pm_card_visa",
                            "NL",
                            java.util.Set.of());
                    assertThat(new Rest(hub.url()).post("/orders", order.json()).status())
                            .isEqualTo(201);
                }
            }
        }
    }

    private static HubProcess hub(String name) {
        // The timeout excludes overdue orders on any machine.
        return new HubProcess(home, folder.resolve(name + "/data")).set("hub.saga.timeout", "1h");
    }

    /** Starts the hub, waits for the crash point, and kills the hub there. */
    private void killAt(HubProcess hub, String point, int count) throws IOException {
        String unit = point.split(" ")[0];
        Path reached = Files.createTempFile(folder, "reached", "");
        hub.environment("CRASH_UNIT", unit)
                .environment("CRASH_WHEN", point.split(" ")[1])
                .environment("CRASH_COUNT", String.valueOf(count))
                .environment("CRASH_FILE", reached.toString())
                .start();
        await("kill " + point + " #" + count)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    assertThat(hub.isAlive()).as(hub.log()).isTrue();
                    return Files.size(reached) > 0;
                });
        hub.kill9();
    }

    /** Returns the points that a loaded hub passes repeatedly: before and after each kind of unit. */
    private List<String> points() throws Exception {
        Path seen = folder.resolve("seen");
        try (HubProcess hub = hub("seen-data")) {
            hub.environment("CRASH_FILE", seen.toString()).start().awaitReady();
            Rest rest = new Rest(hub.url());
            Customers customers = new Customers(rest, "/orders", SEED + 2);
            customers.stock();
            // A fixed number, so that every kind of order occurs.
            customers.start(4);
            customers.awaitMore(80);
            finish(rest, customers);
        }
        List<String> points = new ArrayList<>();
        Map<String, Long> times =
                Files.readAllLines(seen).stream().collect(groupingBy(unit -> unit, TreeMap::new, counting()));
        times.forEach((unit, count) -> {
            if (count >= OFTEN && !OF_FIRST_STARTS.contains(unit) && !unit.equals("set-stock")) {
                points.add(unit + " before");
                points.add(unit + " after");
            } else {
                System.out.println("no crash point: " + unit + ", met " + count + " times");
            }
        });
        return points;
    }

    private static void finish(Rest rest, Customers customers) throws IOException {
        customers.close();
        Promises promises = new Promises(rest);
        promises.awaitEnds(PATIENCE);
        promises.check(customers.posted(), customers.answered(), STOCK);
        System.out.println(customers.answered().size() + " orders answered, all as promised");
    }
}
