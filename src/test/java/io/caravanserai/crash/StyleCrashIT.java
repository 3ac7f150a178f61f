package io.caravanserai.crash;

import io.caravanserai.order.Style;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The crash test for the message-driven styles, with the embedded broker. {@code -Dcrash.seed=} repeats the choices,
 * {@code -Dcrash.kills=} sets the number of kills for each style.
 */
class StyleCrashIT {
    private static final long SEED = Long.getLong("crash.seed", System.nanoTime() & 0xffffff);
    private static final int KILLS = Integer.getInteger("crash.kills", 4);
    private static final Map<String, Long> STOCK = Map.of(TestOrder.PLENTY, 1_000_000L, TestOrder.SCARCE, 20L);
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    @TempDir
    static Path folder;

    private static Path home;

    @BeforeAll
    static void makeDistribution() throws Exception {
        home = Distribution.withCrashPoints(folder.resolve("hub"));
        System.out.println("crash.seed=" + SEED);
    }

    @ParameterizedTest
    @EnumSource(value = Style.class, mode = EnumSource.Mode.EXCLUDE, names = "REQUEST_REPLY")
    void ordersEndAsPromisedAfterKills(Style style) throws Exception {
        Random choice = new Random(SEED);
        try (HubProcess hub =
                new HubProcess(home, folder.resolve(style.wire() + "/data")).set("hub.saga.timeout", "1h")) {
            hub.start().awaitReady();
            Rest rest = new Rest(hub.url());
            Customers customers = new Customers(rest, "/orders?style=" + style.wire(), SEED + style.ordinal());
            customers.stock();
            customers.start(4);
            for (int kill = 1; kill <= KILLS; kill++) {
                customers.awaitMore(choice.nextInt(20));
                TimeUnit.MILLISECONDS.sleep(choice.nextInt(400));
                hub.kill9();
                hub.start();
            }
            hub.awaitReady();
            finish(style, rest, customers);
        }
    }

    private static void finish(Style style, Rest rest, Customers customers) throws IOException {
        customers.close();
        Promises promises = new Promises(rest);
        promises.awaitEnds(PATIENCE);
        promises.check(customers.posted(), customers.answered(), STOCK);
        System.out.println(style.wire() + ": " + customers.answered().size() + " orders answered, all as promised");
    }
}
