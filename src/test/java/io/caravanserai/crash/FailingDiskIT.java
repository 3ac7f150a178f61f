package io.caravanserai.crash;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that fails for a moment and then works again, and whose power is cut later. */
@Tag("crash")
class FailingDiskIT {
    private static final Map<String, Long> STOCK = Map.of(TestOrder.PLENTY, 1_000_000L, TestOrder.SCARCE, 20L);
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int FAILURES = 3;

    @TempDir
    Path folder;

    @Test
    void noAcknowledgedOrderIsGoneAfterADiskErrorThatHasPassedAndAPowerCut() throws Exception {
        try (FailingDisk disk = new FailingDisk(Files.createDirectories(folder.resolve("disk")), 1_000)) {
            Files.createDirectories(disk.root().resolve("data"));
            Customers customers;
            List<String> answered;
            try (HubProcess hub = hub("before", disk.root())) {
                hub.start().awaitReady();
                customers = new Customers(new Rest(hub.url()), "/orders", 5);
                customers.stock();
                customers.start(4);
                for (int failure = 0; failure < FAILURES; failure++) {
                    customers.awaitMore(40);
                    disk.fail();
                    await().atMost(PATIENCE).until(() -> ready(hub).contains("I/O error"));
                    disk.work();
                    hub.awaitReady();
                }
                customers.awaitMore(60);
                answered = customers.answered();
                hub.kill9();
            }
            Path afterCut = disk.cutPower();
            try (HubProcess hub = hub("after", afterCut)) {
                hub.start().awaitReady();
                Promises promises = new Promises(new Rest(hub.url()));
                promises.awaitEnds(PATIENCE);
                promises.check(customers.posted(), answered, STOCK);
                System.out.println(answered.size() + " orders answered, all as promised");
                hub.stop();
            } finally {
                customers.leave();
            }
        }
    }

    /** A hub whose database is on the disk, and whose broker and log are not. */
    private HubProcess hub(String name, Path disk) throws IOException {
        Path life = Files.createDirectories(folder.resolve(name));
        Path data = Files.createSymbolicLink(life.resolve("data"), disk.resolve("data"));
        Files.deleteIfExists(data.resolve("broker"));
        Files.createSymbolicLink(data.resolve("broker"), Files.createDirectories(life.resolve("broker")));
        return new HubProcess(Distribution.built(), data);
    }

    private static String ready(HubProcess hub) throws IOException {
        return String.valueOf(new Rest(hub.url()).get("/observe/health/ready").body());
    }
}
