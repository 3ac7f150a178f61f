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
    private Commands() {}

    /** Answers the exit code. */
    static int run(List<String> words) {
        return run(words, System.out);
    }

    static int run(List<String> words, PrintStream out) {
        if (!words.get(0).equals("check")) {
            out.println("unknown command '" + words.get(0) + "'; without one the hub runs, with check FILE_OR_FOLDER..."
                    + " it checks flows");
            return CheckCommand.USAGE;
        }
        try {
            return check(words.subList(1, words.size()), out);
        } catch (Exception e) {
            out.println("the check itself failed: " + e);
            return CheckCommand.USAGE;
        }
    }

    /** The hub's services and beans stand on a store that is thrown away; nothing of them is started. */
    private static int check(List<String> paths, PrintStream out) throws Exception {
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
