package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The start, failed start and stop of the packaged hub. */
class DistributionIT {
    private static final TestOrder SLOW =
            new TestOrder("slow", "SADDLE-01", 1, BigDecimal.TEN, "pm_slow_60000", "NL", Set.of());

    @TempDir
    Path folder;

    @Test
    void stopAnswersWaitingRequestsAndNextStartResumesOrders() throws Exception {
        Path elsewhere = Distribution.copyTo(folder.resolve("copied to a place with spaces"));
        try (HubProcess hub = new HubProcess(elsewhere, folder.resolve("run/data")).set("hub.saga.timeout", "1h")) {
            hub.start().awaitReady();
            Rest rest = new Rest(hub.url());
            CompletableFuture<Integer> waiting = CompletableFuture.supplyAsync(() -> {
                try {
                    return rest.post("/orders", SLOW.json(), "Prefer", "wait=100")
                            .status();
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            await().until(() -> rest.get("/orders/slow").status() == 200);
            assertThat(hub.stop()).isLessThan(Duration.ofSeconds(30));
            assertThat(waiting.join()).isEqualTo(202);
            hub.start().awaitReady();
            assertThat(rest.get("/orders/slow").body().path("status").asText()).isNotEqualTo("CANCELLED");
            hub.stop();
            assertThat(hub.log()).doesNotContain("\tat ", "ERROR", "WARN");
        }
    }

    @Test
    void failedStartIsReportedInOneLineWithSetting() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = String.valueOf(taken.getLocalPort());
            assertThat(refusal("hub.http.port", port)).contains("hub.http.port=" + port);
            assertThat(refusal("hub.jms.port", port)).contains("hub.jms.port=" + port);
        }
        Path file = Files.createFile(folder.resolve("a file"));
        assertThat(refusal("hub.data.dir", file.toString())).contains("hub.data.dir");
        assertThat(refusal("hub.saga.timeout", "soon")).contains("hub.saga.timeout=soon");
    }

    @Test
    void secondHubOnSameDataFolderReportsConflict() throws Exception {
        Path data = folder.resolve("shared/data");
        try (HubProcess first = new HubProcess(Distribution.built(), data)) {
            first.start().awaitReady();
            assertThat(refusal("hub.data.dir", data.toString())).contains("another hub", "hub.data.dir");
        }
    }

    /** Returns the error message of a start with this setting. */
    private String refusal(String key, String value) throws Exception {
        Path run = Files.createTempDirectory(folder, "refused");
        try (HubProcess hub = new HubProcess(Distribution.built(), run.resolve("data"))) {
            int code = hub.set(key, value).start().awaitEnd();
            assertThat(code).isEqualTo(1);
            assertThat(hub.log().lines()).singleElement().asString().startsWith("Caravanserai cannot start: ");
            return hub.log();
        }
    }
}
