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
 * The Kamelets that flows may use, from a folder beside the flows, else from the jar of the hub.
 * <p>{@link KameletInliner} inserts the steps into flows. Each text is read once, at the first use, so the checked text
 * is the text that is stored with the version and runs. For one thread.
 */
public final class Kamelets {
    /** The ending of every Kamelet file name. */
    public static final String ENDING = ".kamelet.yaml";

    /** Name of the folder in the registry, as a {@link Path}. */
    private static final String FOLDER = "kameletsFolder";

    private static final Set<String> IN_THE_JAR = Set.of("http-call", "jms-call", "kafka-send", "once", "order-events");

    private final Optional<Path> folder;
    private final Map<String, String> texts;

    private Kamelets(Optional<Path> folder, Map<String, String> kept) {
        this.folder = folder;
        this.texts = new TreeMap<>(kept);
    }

    /** Makes the flows of this context prefer the Kamelets in a folder; the folder may be missing. */
    public static void lookIn(CamelContext context, Path folder) {
        context.getRegistry().bind(FOLDER, folder);
    }

    /** Returns the current Kamelets for the flows of this context. */
    public static Kamelets of(CamelContext context) {
        return of(context, Map.of());
    }

    /** Returns the Kamelets stored with a version, by name; any other Kamelet in the current text. */
    public static Kamelets of(CamelContext context, Map<String, String> kept) {
        return new Kamelets(Optional.ofNullable(context.getRegistry().lookupByNameAndType(FOLDER, Path.class)), kept);
    }

    /** Returns the Kamelets in a folder. */
    public static Kamelets in(Path folder) {
        return new Kamelets(Optional.of(folder), Map.of());
    }

    public static String fileOf(String name) {
        return name + ENDING;
    }

    /**
     * Returns the tree of a Kamelet, with the file name in the marks; empty for an unknown name.
     * @throws YamlEngineException when the text is not YAML
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
     * Returns the texts of the Kamelets that the flow uses, also indirectly, by name. Empty when the text of the flow
     * is not YAML.
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

    /** Whether the Kamelet comes from the jar of the hub, and so is not editable. */
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

    /** Returns the names of all Kamelets. */
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
