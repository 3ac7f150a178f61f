package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.broker.ArtemisProcess;
import io.caravanserai.order.Style;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The outside JMS broker is stopped by a signal: connections stay open without answers. */
class BrokerFrozenIT {
    /** More orders than any pool of the hub has threads. */
    private static final int WAITING = 40;

    @TempDir
    Path folder;

    @Test
    void ordersWithoutBrokerStepsEndWhileOtherOrdersWait() throws Exception {
        int port = FreePort.take();
        try (ArtemisProcess broker = ArtemisProcess.start(folder.resolve("broker"), port);
                TestHub hub = TestHub.start(
                        folder.resolve("hub"),
                        Map.of("hub.jms.url", "tcp://127.0.0.1:" + port, "hub.saga.timeout", "5m"))) {
            await().until(() -> hub.get("/observe/health/ready").status() == 200);
            hub.put("/stock/SADDLE-01", "{\"onHand\": 1000000}");
            for (Style style : Style.values()) {
                assertThat(post(hub, "before-" + style.wire(), style).join().status())
                        .isEqualTo(201);
            }

            broker.freeze();
            long frozen = System.nanoTime();
            List<CompletableFuture<TestHub.Answer>> accepted = new ArrayList<>();
            for (int i = 0; i < WAITING; i++) {
                for (Style style : List.of(Style.QUEUE, Style.PUBSUB, Style.CHOREOGRAPHY)) {
                    accepted.add(post(hub, "waits-" + style.wire() + i, style, "Prefer", "respond-async"));
                }
            }
            accepted.forEach(answer -> assertThat(
                            answer.orTimeout(20, TimeUnit.SECONDS).join().status())
                    .isEqualTo(202));
            System.out.printf("accepted %.1f s after the broker froze%n", secondsSince(frozen));
            await().pollInterval(Duration.ofMillis(100))
                    .untilAsserted(
                            () -> assertThat(hub.get("/observe/health/ready").status())
                                    .isEqualTo(503));
            assertThat(secondsSince(frozen)).isLessThan(20);
            System.out.printf("ready DOWN %.1f s after the broker froze%n", secondsSince(frozen));
            for (int i = 0; secondsSince(frozen) < 22; i++) {
                long began = System.nanoTime();
                assertThat(post(hub, "needs-none-" + i, Style.REQUEST_REPLY)
                                .orTimeout(10, TimeUnit.SECONDS)
                                .join()
                                .status())
                        .isEqualTo(201);
                assertThat(secondsSince(began)).isLessThan(5);
            }
            assertThat(hub.get("/orders?status=CANCELLED").json().path("items")).isEmpty();

            broker.thaw();
            long thawed = System.nanoTime();
            await().untilAsserted(() ->
                    assertThat(hub.get("/observe/health/ready").status()).isEqualTo(200));
            System.out.printf("ready UP %.1f s after the broker went on%n", secondsSince(thawed));
            for (Style style : List.of(Style.QUEUE, Style.PUBSUB, Style.CHOREOGRAPHY)) {
                await().untilAsserted(() -> assertThat(hub.get("/orders?limit=100&status=SHIPPED&style=" + style.wire())
                                .json()
                                .path("items"))
                        .hasSize(WAITING + 1));
            }
            System.out.printf("all shipped %.1f s after the broker went on%n", secondsSince(thawed));
        }
    }

    private static CompletableFuture<TestHub.Answer> post(TestHub hub, String id, Style style, String... headers) {
        return hub.send("POST", "/orders?style=" + style.wire(), KafkaHub.order(id, "pm_card_visa"), headers);
    }

    private static double secondsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }
}
