package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.app.FreePort;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that fills up under a hub with all brokers, and has free space again later. */
@Tag("crash")
class FullDiskIT {
    private static final Map<String, Long> STOCK = Map.of(TestOrder.PLENTY, 1_000_000L, TestOrder.SCARCE, 20L);
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    @TempDir
    Path folder;

    @Test
    void hubAndBrokersRecoverOnceDiskHasSpace() throws Exception {
        Path life = Files.createDirectories(folder.resolve("hub"));
        try (FailingDisk disk = new FailingDisk(Files.createDirectories(folder.resolve("disk")), 700);
                HubProcess hub = new HubProcess(
                        Distribution.built(),
                        Files.createSymbolicLink(
                                life.resolve("data"),
                                Files.createDirectories(disk.root().resolve("data"))))) {
            hub.set("hub.kafka.brokers", "embedded")
                    .set("hub.kafka.port", String.valueOf(FreePort.take()))
                    .set("hub.saga.timeout", "1h")
                    .start()
                    .awaitReady();
            List<Customers> customers = new ArrayList<>();
            for (String style : List.of("request-reply", "queue", "pubsub", "choreography")) {
                customers.add(new Customers(new Rest(hub.url()), "/orders?style=" + style, customers.size()));
            }
            customers.get(0).stock();
            customers.forEach(each -> each.start(2));
            customers.forEach(each -> each.awaitMore(10));

            Path ballast = disk.root().resolve("ballast");
            fill(ballast);
            await().atMost(PATIENCE).until(() -> ready(hub).contains("DOWN"));
            // Until every part has failed.
            await().pollDelay(Duration.ofSeconds(15)).until(() -> true);
            System.out.println(ready(hub));
            long logged = hub.log().lines().count();
            await().pollDelay(Duration.ofSeconds(15)).until(() -> true);
            assertThat(hub.log().lines().count() - logged)
                    .as("lines of log in 15 s")
                    .isLessThan(300);
            Files.delete(ballast);

            hub.awaitReady();
            customers.forEach(each -> each.awaitMore(10));
            customers.forEach(Customers::close);
            Promises promises = new Promises(new Rest(hub.url()));
            promises.awaitEnds(PATIENCE);
            Map<String, TestOrder> posted = new HashMap<>();
            Set<String> answered = new HashSet<>();
            customers.forEach(each -> posted.putAll(each.posted()));
            customers.forEach(each -> answered.addAll(each.answered()));
            promises.check(posted, answered, STOCK);
            System.out.println(answered.size() + " orders answered, all as promised");
            hub.stop();
        }
    }

    /** Fills the disk, repeatedly, also with space freed by others. */
    private static void fill(Path ballast) throws IOException {
        for (int size : new int[] {1 << 20, 1 << 12}) {
            try (OutputStream out =
                    Files.newOutputStream(ballast, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                byte[] block = new byte[size];
                while (true) {
                    out.write(block);
                }
            } catch (IOException e) {
                // The disk is full.
                continue;
            }
        }
    }

    private static String ready(HubProcess hub) throws IOException {
        return String.valueOf(new Rest(hub.url()).get("/observe/health/ready").body());
    }
}
