package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Other users of the machine cannot read the data of the hub. */
class PrivateDataIT {
    private static final String ORDER = """
            {"customerId": "C-1", "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 5.00}], "currency": "EUR",
            "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}""";

    @TempDir
    Path folder;

    @Test
    void filesOfDataFolderAreAccessibleToOwnerOnly() throws Exception {
        Path data = folder.resolve("data");
        try (TestHub hub = TestHub.start(data, Map.of("hub.kafka.brokers", "embedded", "hub.kafka.port", "0"))) {
            assertThat(hub.post("/orders", ORDER).status()).isEqualTo(201);

            assertThat(mode(data)).isEqualTo("rwx------");
            for (String file : List.of("hub.db", "hub.db-wal", "hub.db-shm", "hub.lock")) {
                assertThat(mode(data.resolve(file))).as(file).isEqualTo("rw-------");
            }
            await().untilAsserted(() -> assertThat(openToOthers(data)).isEmpty());
        }
    }

    @Test
    void aFolderOfAnEarlierHubIsTightenedAtTheStart() throws Exception {
        Path data = Files.createDirectories(folder.resolve("data"));
        Path journal = Files.createDirectories(data.resolve("broker/journal")).resolve("old.jrn");
        Files.writeString(journal, "");
        Files.setPosixFilePermissions(journal, PosixFilePermissions.fromString("rw-rw-r--"));
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path routes = Files.createDirectories(data.resolve("routes"));
        Files.setPosixFilePermissions(routes, PosixFilePermissions.fromString("rwxrwxr-x"));

        try (DataFolder tightened = new DataFolder(data, routes).watch()) {
            assertThat(tightened).isNotNull();
            assertThat(mode(data)).isEqualTo("rwx------");
            assertThat(mode(journal)).isEqualTo("rw-------");
            assertThat(mode(routes)).as("people may edit flows together").isEqualTo("rwxrwxr-x");
        }
    }

    private static List<Path> openToOthers(Path data) throws IOException {
        try (Stream<Path> files = Files.walk(data)) {
            return files.filter(file -> !mode(file).endsWith("------")).toList();
        }
    }

    private static String mode(Path file) {
        try {
            return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
        } catch (IOException e) {
            // The file was deleted meanwhile.
            return "---------";
        }
    }

    @Test
    void warningIsLoggedOnlyWhenOtherUsersHadAccess(@TempDir Path folder) throws Exception {
        for (boolean open : new boolean[] {false, true}) {
            Path data = Files.createDirectory(folder.resolve("open-" + open));
            Path file = Files.createFile(data.resolve("journal"));
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
            Files.setPosixFilePermissions(data, PosixFilePermissions.fromString(open ? "rwxr-xr-x" : "rwx------"));
            try (CapturedLog log = CapturedLog.open();
                    DataFolder watched = new DataFolder(data, folder.resolve("routes")).watch()) {
                assertThat(watched).isNotNull();
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                        .isEqualTo("rw-------");
                assertThat(log.with("other users could read")).hasSize(open ? 1 : 0);
            }
        }
    }
}
