package io.caravanserai.cli;

import io.caravanserai.app.ConsoleLog;
import io.caravanserai.app.Hub;
import io.caravanserai.app.OrderModule;
import io.caravanserai.app.StartupBanner;
import io.caravanserai.app.Subscribers;
import io.caravanserai.config.HubSettings;
import io.caravanserai.config.SettingsReader;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.support.Ids;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.camel.impl.DefaultCamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The command line of {@code bin/hub}, for example {@code bin/hub check routes/}. */
public final class HubCommand {
    private static final int FINE = 0;

    private static final String HELP = """
            Usage: hub                             runs the hub in the foreground until SIGTERM or Ctrl-C
                   hub check FILE_OR_FOLDER...     checks flows (*.camel.yaml) without a running hub
                   hub --help, hub --version

            Settings come from application.properties beside bin/, from environment variables (hub.http.port is
            HUB_HTTP_PORT) and from system properties (JAVA_OPTS=-Dhub.http.port=8081). Exit status: 0 after SIGTERM,
            1 when the hub cannot start or a flow has a fault, 2 for words that are not known.
            """;

    private static final Logger LOG = LoggerFactory.getLogger(HubCommand.class);

    private HubCommand() {}

    /** Runs the hub until SIGTERM, or the command in the arguments. */
    public static void main(String[] arguments) throws InterruptedException {
        if (arguments.length > 0) {
            System.exit(run(List.of(arguments)));
        }
        long began = System.nanoTime();
        CompletableFuture<Hub> starting = new CompletableFuture<>();
        ProcessExit.closeOnExit(starting);
        HubSettings settings;
        Hub hub;
        try {
            SettingsReader.Result read = new SettingsReader().read();
            settings = read.settings();
            ConsoleLog.apply(settings.log());
            read.warnings().forEach(LOG::warn);
            hub = Hub.start(settings);
        } catch (Exception e) {
            starting.completeExceptionally(e);
            System.err.println("Caravanserai cannot start: " + (e.getMessage() == null ? e : e.getMessage()));
            LOG.debug("cannot start", e);
            System.exit(1);
            return;
        }
        starting.complete(hub);
        new StartupBanner(settings, hub.port())
                .print(System.out, Duration.ofNanos(System.nanoTime() - began), hub.unavailableReason());
        Thread.currentThread().join();
    }

    /** Runs a command; returns the exit code. */
    public static int run(List<String> words) {
        return run(words, System.out, System.err);
    }

    /** @param err receives the message about an unknown command */
    public static int run(List<String> words, PrintStream out, PrintStream err) {
        List<String> rest = words.subList(1, words.size());
        switch (words.get(0)) {
            case "check":
                return check(rest, out);
            case "--help", "-h", "help":
                out.print(HELP);
                return FINE;
            case "--version", "-V", "version":
                out.println("Caravanserai " + version() + ", Java " + Runtime.version());
                return FINE;
            default:
                err.println("unknown " + (words.get(0).startsWith("-") ? "option" : "command") + " '" + words.get(0)
                        + "'; hub --help lists what there is. Settings are no options: use application.properties or"
                        + " environment variables such as HUB_HTTP_PORT");
                return CheckCommand.USAGE;
        }
    }

    private static String version() {
        String version = HubCommand.class.getPackage().getImplementationVersion();
        return version == null ? "from a checkout" : version;
    }

    private static int check(List<String> paths, PrintStream out) {
        try {
            return checkFlows(paths, out);
        } catch (Exception e) {
            out.println("the check itself failed: " + e);
            return CheckCommand.USAGE;
        }
    }

    /** Uses the services and beans of the hub on a temporary store; starts no part. */
    private static int checkFlows(List<String> paths, PrintStream out) throws Exception {
        Path folder = Files.createTempDirectory("caravanserai-check");
        HubSettings settings = new SettingsReader().read().settings();
        Clock clock = Clock.systemUTC();
        try (SqliteStore store = SqliteStore.open(folder);
                Subscribers subscribers = new Subscribers(
                        settings, store, new EventLog(store), new DeadLetters(store, new Ids(), clock), clock);
                DefaultCamelContext context = new DefaultCamelContext()) {
            OrderModule core = new OrderModule(settings, store, context, clock, event -> {});
            context.addRoutes(core.routes());
            context.addRoutes(subscribers.routes());
            return new CheckCommand(context, out).run(paths);
        } finally {
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
