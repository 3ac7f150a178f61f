package io.caravanserai.cli;

import io.caravanserai.app.Hub;
import io.caravanserai.app.StartupBanner;
import io.caravanserai.config.HubSettings;
import io.caravanserai.config.SettingsReader;
import io.caravanserai.store.SqliteStore;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.sqlite.util.LibraryLoaderUtil;

/**
 * Runs a hub for a moment on free ports and a temporary folder, and sends one order. {@code bin/warm-up} records the
 * loaded classes for the class-data archive. Leaves further files that shorten a start in the folder of the argument.
 */
final class TrialRun {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private TrialRun() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createTempDirectory("caravanserai-trial");
        try (Hub hub = Hub.start(settings(folder))) {
            String url = "http://127.0.0.1:" + hub.port();
            HttpClient client = HttpClient.newHttpClient();
            client.send(
                    HttpRequest.newBuilder(URI.create(url + "/orders"))
                            .timeout(PATIENCE)
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(StartupBanner.ORDER))
                            .build(),
                    HttpResponse.BodyHandlers.discarding());
            for (String path : List.of("/observe/health/ready", "/observe/metrics", "/orders")) {
                client.send(
                        HttpRequest.newBuilder(URI.create(url + path))
                                .timeout(PATIENCE)
                                .build(),
                        HttpResponse.BodyHandlers.discarding());
            }
        } finally {
            delete(folder);
        }
        Path kept = Path.of(arguments[0]);
        keepEmptyDatabase(kept);
        keepDriverLibrary(kept);
        System.exit(0);
    }

    private static void keepEmptyDatabase(Path kept) throws IOException {
        Path folder = Files.createDirectory(kept.resolve("store"));
        SqliteStore.open(folder).close();
        Files.move(folder.resolve(SqliteStore.FILE), kept.resolve(SqliteStore.FILE));
    }

    /**
     * Without this copy the driver writes the library to the folder for temporary files at each start, and verifies the
     * copy.
     */
    private static void keepDriverLibrary(Path kept) throws IOException {
        String name = LibraryLoaderUtil.getNativeLibName();
        String resource = LibraryLoaderUtil.getNativeLibResourcePath() + "/" + name;
        try (InputStream library = LibraryLoaderUtil.class.getResourceAsStream(resource)) {
            Files.copy(library, Files.createDirectory(kept.resolve("driver")).resolve(name));
        }
    }

    /** Returns the default settings, independent of the environment. */
    private static HubSettings settings(Path folder) {
        Map<String, String> system = Map.of(
                "caravanserai.home",
                System.getProperty("caravanserai.home"),
                "hub.data.dir",
                folder.toString(),
                "hub.http.port",
                "0",
                "hub.jms.port",
                "0");
        return new SettingsReader(Map.of(), system).read().settings();
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
