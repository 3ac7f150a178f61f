package io.caravanserai.cli;

import io.caravanserai.flow.check.CheckContext;
import io.caravanserai.flow.check.FlowCheck;
import io.caravanserai.flow.check.HttpIngress;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowText;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.KameletInliner;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.model.Model;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Checks flow files without a running hub, for the CI of users: {@code bin/hub check routes/}. Prints a fault as a line
 * {@code file:line:column: message}, which editors can jump to.
 */
public final class CheckCommand {
    /** All files are valid. */
    public static final int FINE = 0;
    /** At least one file has a fault. */
    public static final int FAULTS = 1;
    /** The arguments are invalid, or no flow file was found. */
    public static final int USAGE = 2;

    private final CamelContext context;
    private final PrintStream out;

    /** @param context with the components, beans and Java routes of a hub; need not be started */
    public CheckCommand(CamelContext context, PrintStream out) {
        this.context = context;
        this.out = out;
    }

    /**
     * @param arguments files and folders
     * @return the exit code
     */
    public int run(List<String> arguments) throws IOException {
        Map<Path, String> paths = new TreeMap<>();
        for (String argument : arguments) {
            Path path = Path.of(argument);
            if (!Files.exists(path)) {
                out.println(argument + ": there is no such file or folder");
                return USAGE;
            }
            find(path).forEach(file -> paths.put(file, file.getFileName().toString()));
        }
        if (paths.isEmpty()) {
            out.println("usage: hub check FILE_OR_FOLDER...  (files end with " + FlowVersion.ENDING + ")");
            return USAGE;
        }
        Map<Path, String> texts = new TreeMap<>();
        List<Fault> faults = new ArrayList<>();
        for (Path path : paths.keySet()) {
            try {
                texts.put(path, FlowText.decode(FlowText.read(path)));
            } catch (CharacterCodingException e) {
                faults.add(Fault.atStart(path.toString(), "not UTF-8 text"));
            } catch (IOException e) {
                faults.add(Fault.atStart(path.toString(), "cannot be read: " + e.getMessage()));
            }
        }
        texts.forEach((path, text) -> faults.addAll(check(path, text, texts)));
        faults.forEach(out::println);
        return faults.isEmpty() ? FINE : FAULTS;
    }

    private static List<Path> find(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (Stream<Path> entries = Files.list(path)) {
            return entries.filter(Files::isRegularFile)
                    .filter(entry -> entry.getFileName().toString().endsWith(FlowVersion.ENDING))
                    .filter(entry -> !entry.getFileName().toString().startsWith("."))
                    .toList();
        }
    }

    private List<Fault> check(Path path, String text, Map<Path, String> texts) {
        Map<String, String> others = new HashMap<>();
        Map<String, String> ids = new HashMap<>();
        Map<String, List<HttpIngress.Door>> doors = new HashMap<>();
        Path kamelets = kamelets(path);
        Kamelets known = Files.isDirectory(kamelets) ? Kamelets.in(kamelets) : Kamelets.of(context);
        Map<String, Node> trees = new HashMap<>();
        texts.forEach((other, otherText) -> {
            // For a duplicate id or name only the later file gets the fault.
            if (!other.equals(path)) {
                boolean earlier = other.compareTo(path) < 0;
                collect(other, otherText, earlier, others, ids);
                if (Objects.equals(other.getParent(), path.getParent())) {
                    String name = other.getFileName().toString();
                    FlowText.tree(name, otherText)
                            .ifPresent(root ->
                                    trees.put(name, KameletInliner.writtenInto(name, root, known, new ArrayList<>())));
                }
                if (earlier) {
                    FlowText.tree(other.toString(), otherText)
                            .ifPresent(root -> doors.put(other.toString(), HttpIngress.in(root)));
                }
            }
        });
        Set<String> served = new HashSet<>();
        context.getCamelContextExtension()
                .getContextPlugin(Model.class)
                .getRouteDefinitions()
                .forEach(route -> {
                    served.add(VersionedEndpoints.keyOf(route.getInput().getEndpointUri()));
                    if (route.getRouteId() != null) {
                        ids.put(route.getRouteId(), "");
                    }
                });
        String file = path.getFileName().toString();
        CheckContext around = new CheckContext(context, known, served, others, ids, doors, trees, Map.of());
        return FlowCheck.check(file, text, around).stream()
                .map(fault -> new Fault(
                        (fault.file().equals(file) ? path : kamelets.resolve(fault.file())).toString(),
                        fault.line(),
                        fault.column(),
                        fault.message()))
                .toList();
    }

    /** Returns the folder of the Kamelets that belong to a flow file. */
    private static Path kamelets(Path file) {
        Path folder = file.getParent() == null ? Path.of("") : file.getParent();
        return folder.resolveSibling("kamelets");
    }

    private static void collect(
            Path path, String text, boolean earlier, Map<String, String> others, Map<String, String> ids) {
        try {
            Node root = Nodes.parse(path.toString(), text).orElse(null);
            if (root != null) {
                String flow = FlowVersion.flowOf(path.getFileName().toString());
                VersionedEndpoints.of(flow, root).names().forEach(name -> others.put(name, path.toString()));
                if (earlier) {
                    Nodes.valuesOf(root, "route")
                            .forEach(route -> Nodes.text(route, "id").ifPresent(id -> ids.put(id, path.toString())));
                }
            }
        } catch (YamlEngineException | ClassCastException e) {
            // The check of that file reports the fault.
            return;
        }
    }
}
