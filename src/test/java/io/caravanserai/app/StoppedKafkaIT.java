package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No Kafka client of a hub survives the stop of the hub, with or without brokers. */
class StoppedKafkaIT {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void noKafkaClientSurvivesStopOfHub(boolean away) throws Exception {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        Map<String, String> settings = away
                ? Map.of("hub.kafka.brokers", "127.0.0.1:" + FreePort.take(), "hub.events.bus", "kafka")
                : Map.of("hub.kafka.brokers", "embedded", "hub.kafka.port", "0", "hub.events.bus", "kafka");
        try (TestHub hub = TestHub.start(folder, settings)) {
            int status = hub.post(
                            "/orders?style=pubsub", KafkaHub.order("o-1", "pm_card_visa"), "Prefer", "respond-async")
                    .status();
            assertThat(status).isEqualTo(202);
            assertThat(clients(before)).isNotEmpty();
            if (!away) {
                await().until(() ->
                        hub.get("/orders/o-1").json().path("status").asText().equals("SHIPPED"));
            }
        }
        await().untilAsserted(() -> assertThat(clients(before)).isEmpty());
    }

    private static List<String> clients(Set<Thread> before) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !before.contains(thread))
                .map(Thread::getName)
                .filter(name -> name.contains("kafka") || name.startsWith("events-"))
                .toList();
    }
}
