package io.caravanserai;

import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.flow.CheckCommand;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.store.SqliteStore;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.camel.impl.DefaultCamelContext;

/** What {@code bin/hub} does when it is given words: {@code bin/hub check routes/}. */
final class Commands {
    private static final int FINE = 0;

    private static final String HELP = """
            Usage: hub                             runs the hub in the foreground until SIGTERM or Ctrl-C
                   hub check FILE_OR_FOLDER...     checks flows (*.camel.yaml) without a running hub
                   hub --help, hub --version

            Settings come from application.properties beside bin/, from environment variables (hub.http.port is
            HUB_HTTP_PORT) and from system properties (JAVA_OPTS=-Dhub.http.port=8081). Exit status: 0 after SIGTERM,
            1 when the hub cannot start or a flow has a fault, 2 for words that are not known.
            """;

    private Commands() {}

    /** Answers the exit code. */
    static int run(List<String> words) {
        return run(words, System.out, System.err);
    }

    /** @param err told of words that are not known */
    static int run(List<String> words, PrintStream out, PrintStream err) {
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
        String version = Commands.class.getPackage().getImplementationVersion();
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

    /** The hub's services and beans stand on a store that is thrown away; nothing of them is started. */
    private static int checkFlows(List<String> paths, PrintStream out) throws Exception {
        Path folder = Files.createTempDirectory("caravanserai-check");
        HubSettings settings = new SettingsReader().read().settings();
        Clock clock = Clock.systemUTC();
        try (SqliteStore store = SqliteStore.open(folder);
                Subscribers subscribers = new Subscribers(
                        settings, store, new EventLog(store), new DeadLetters(store, new Ids(), clock), clock);
                DefaultCamelContext context = new DefaultCamelContext()) {
            Core core = new Core(settings, store, context, clock, event -> {});
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
