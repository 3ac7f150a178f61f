package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk with transient failures and a later power cut. */
@Tag("crash")
class FailingDiskIT {
    private static final Map<String, Long> STOCK = Map.of(TestOrder.PLENTY, 1_000_000L, TestOrder.SCARCE, 20L);
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    /** Durations of the failures; the last duration exceeds all attempts to deliver an event. */
    private static final List<Duration> FAILURES =
            List.of(Duration.ofMillis(20), Duration.ofMillis(700), Duration.ofSeconds(20));

    @TempDir
    Path folder;

    @Test
    void acknowledgedOrdersSurviveTransientDiskErrorAndPowerCut() throws Exception {
        try (FailingDisk disk = new FailingDisk(Files.createDirectories(folder.resolve("disk")), 1_000)) {
            Files.createDirectories(disk.root().resolve("data"));
            List<Customers> customers = new ArrayList<>();
            Set<String> answered = new HashSet<>();
            try (HubProcess hub = hub("before", disk.root())) {
                hub.start().awaitReady();
                for (String style : List.of("request-reply", "queue", "pubsub", "choreography")) {
                    customers.add(new Customers(new Rest(hub.url()), "/orders?style=" + style, customers.size()));
                }
                customers.get(0).stock();
                customers.forEach(each -> each.start(1));
                for (Duration failure : FAILURES) {
                    customers.forEach(each -> each.awaitMore(10));
                    disk.fail();
                    await().atMost(PATIENCE).until(() -> ready(hub).contains("I/O error"));
                    // Meanwhile no step of any order can be recorded.
                    TimeUnit.MILLISECONDS.sleep(failure.toMillis());
                    disk.work();
                    hub.awaitReady();
                }
                customers.forEach(each -> each.awaitMore(15));
                customers.forEach(each -> answered.addAll(each.answered()));
                hub.kill9();
            }
            Path afterCut = disk.cutPower();
            try (HubProcess hub = hub("after", afterCut)) {
                hub.start().awaitReady();
                Promises promises = new Promises(new Rest(hub.url()));
                promises.awaitEnds(PATIENCE);
                Map<String, TestOrder> posted = new HashMap<>();
                customers.forEach(each -> posted.putAll(each.posted()));
                promises.check(posted, answered, STOCK);
                assertThat(new Rest(hub.url()).all("/dead-letters")).isEmpty();
                System.out.println(answered.size() + " orders answered, all as promised");
                hub.stop();
            } finally {
                customers.forEach(Customers::leave);
            }
        }
    }

    /** A hub with the database on the disk; the broker and the log are elsewhere. */
    private HubProcess hub(String name, Path disk) throws IOException {
        Path life = Files.createDirectories(folder.resolve(name));
        Path data = Files.createSymbolicLink(life.resolve("data"), disk.resolve("data"));
        Files.deleteIfExists(data.resolve("broker"));
        Files.createSymbolicLink(data.resolve("broker"), Files.createDirectories(life.resolve("broker")));
        return new HubProcess(Distribution.built(), data).set("hub.saga.timeout", "1h");
    }

    private static String ready(HubProcess hub) throws IOException {
        return String.valueOf(new Rest(hub.url()).get("/observe/health/ready").body());
    }
}
