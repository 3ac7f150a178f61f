package io.caravanserai.flow.yaml;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * The building blocks of flows: Camel's Kamelets, in a folder beside the flows or else in the hub's jar.
 *
 * <p>{@link KameletInliner} writes the steps of those that a flow names into it. Each text is read once, when it is first
 * asked for: what was checked is what is kept with the version and runs. For one thread.
 */
public final class Kamelets {
    /** What the name of every Kamelet's file ends with. */
    public static final String ENDING = ".kamelet.yaml";

    /** Where the registry has the folder, as a {@link Path}. */
    private static final String FOLDER = "kameletsFolder";

    private static final Set<String> IN_THE_JAR = Set.of("http-call", "jms-call", "kafka-send", "once", "order-events");

    private final Optional<Path> folder;
    private final Map<String, String> texts;

    private Kamelets(Optional<Path> folder, Map<String, String> kept) {
        this.folder = folder;
        this.texts = new TreeMap<>(kept);
    }

    /** Has flows of this context look for Kamelets in a folder first; it need not exist. */
    public static void lookIn(CamelContext context, Path folder) {
        context.getRegistry().bind(FOLDER, folder);
    }

    /** Those that flows of this context may name, as they are now. */
    public static Kamelets of(CamelContext context) {
        return of(context, Map.of());
    }

    /** Those that were kept with a version, by name; what is not among them is as it is now. */
    public static Kamelets of(CamelContext context, Map<String, String> kept) {
        return new Kamelets(Optional.ofNullable(context.getRegistry().lookupByNameAndType(FOLDER, Path.class)), kept);
    }

    /** Those of a folder. */
    public static Kamelets in(Path folder) {
        return new Kamelets(Optional.of(folder), Map.of());
    }

    public static String fileOf(String name) {
        return name + ENDING;
    }

    /**
     * The tree of a Kamelet, whose marks carry the file's name; empty when there is none of that name.
     *
     * @throws YamlEngineException when it is not YAML
     */
    Optional<Node> find(String name) {
        Optional<String> text = text(name);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                Nodes.parse(fileOf(name), text.get()).orElseThrow(() -> new YamlEngineException("the file is empty")));
    }

    /**
     * The texts that a flow needs of these, by name: those it names, and those that these name. Empty when it is not a
     * tree of YAML.
     */
    public Map<String, String> neededBy(String file, String text) {
        FlowText.tree(file, text).ifPresent(root -> KameletInliner.writtenInto(file, root, this, new ArrayList<>()));
        return Map.copyOf(texts);
    }

    private Optional<String> text(String name) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
            return Optional.empty();
        }
        if (!texts.containsKey(name)) {
            bytes(name).ifPresent(bytes -> texts.put(name, decoded(bytes)));
        }
        return Optional.ofNullable(texts.get(name));
    }

    private Optional<byte[]> bytes(String name) {
        Optional<Path> file = folder.map(each -> each.resolve(fileOf(name))).filter(Files::isRegularFile);
        try {
            if (file.isPresent()) {
                return Optional.of(FlowText.read(file.get()));
            }
            try (InputStream in = Kamelets.class.getResourceAsStream("/kamelets/" + fileOf(name))) {
                return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the Kamelet " + name + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Whether the file of a Kamelet comes with the hub, so nobody edits it. */
    public boolean isOfTheHub(String kameletFile) {
        return folder.map(each -> each.resolve(kameletFile))
                .filter(Files::isRegularFile)
                .isEmpty();
    }

    private static String decoded(byte[] bytes) {
        try {
            return FlowText.decode(bytes);
        } catch (CharacterCodingException e) {
            throw new YamlEngineException("not UTF-8 text");
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
