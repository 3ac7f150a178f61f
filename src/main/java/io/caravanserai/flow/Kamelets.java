package io.caravanserai.flow;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * The building blocks of flows: Camel's Kamelets, in a folder beside the flows or else in the hub's jar.
 *
 * <p>A file is read when a flow that names it is checked or started: {@link KameletSteps} writes its steps into the flow.
 */
final class Kamelets {
    /** Where the registry has the folder, as a {@link Path}. */
    private static final String FOLDER = "kameletsFolder";

    private static final String ENDING = ".kamelet.yaml";
    private static final Set<String> IN_THE_JAR = Set.of("http-call", "jms-call", "kafka-send", "once", "order-events");

    private final Optional<Path> folder;

    private Kamelets(Optional<Path> folder) {
        this.folder = folder;
    }

    /** Has flows of this context look for Kamelets in a folder first; it need not exist. */
    static void lookIn(CamelContext context, Path folder) {
        context.getRegistry().bind(FOLDER, folder);
    }

    /** Those that flows of this context may name. */
    static Kamelets of(CamelContext context) {
        return new Kamelets(Optional.ofNullable(context.getRegistry().lookupByNameAndType(FOLDER, Path.class)));
    }

    /**
     * The tree of a Kamelet; empty when there is none of that name.
     *
     * @throws YamlEngineException when it is not YAML
     */
    Optional<Node> find(String name) {
        return text(name).flatMap(text -> Nodes.parse(name + ENDING, text));
    }

    private Optional<String> text(String name) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
            return Optional.empty();
        }
        Optional<Path> file = folder.map(each -> each.resolve(name + ENDING)).filter(Files::isRegularFile);
        try {
            if (file.isPresent()) {
                return Optional.of(Files.readString(file.get()));
            }
            try (InputStream in = Kamelets.class.getResourceAsStream("/kamelets/" + name + ENDING)) {
                return in == null
                        ? Optional.empty()
                        : Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the Kamelet " + name + " cannot be read", e);
        }
    }

    /** The names of all there are. */
    Collection<String> names() {
        Set<String> names = new TreeSet<>(IN_THE_JAR);
        if (folder.filter(Files::isDirectory).isPresent()) {
            try (Stream<Path> files = Files.list(folder.get())) {
                List<String> found = new ArrayList<>();
                files.map(file -> file.getFileName().toString())
                        .filter(file -> file.endsWith(ENDING))
                        .forEach(file -> found.add(file.substring(0, file.length() - ENDING.length())));
                names.addAll(found);
            } catch (IOException e) {
                throw new UncheckedIOException("the folder of Kamelets cannot be read", e);
            }
        }
        return names;
    }
}
