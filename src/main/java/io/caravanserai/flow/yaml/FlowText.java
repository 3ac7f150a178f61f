package io.caravanserai.flow.yaml;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Reads the text of flows and Kamelets: file to bytes, bytes to text, text to a YAML tree. */
public final class FlowText {
    public static final int MAX_BYTES = 1024 * 1024;

    private FlowText() {}

    /**
     * Returns the bytes of a flow or Kamelet file.
     * @throws IOException also for a file larger than 1 MiB
     */
    public static byte[] read(Path file) throws IOException {
        if (Files.size(file) > MAX_BYTES) {
            throw new IOException("it is larger than 1 MiB");
        }
        return Files.readAllBytes(file);
    }

    /**
     * Returns the text of the bytes, without a byte order mark.
     * @throws CharacterCodingException when the bytes are not UTF-8
     */
    public static String decode(byte[] bytes) throws CharacterCodingException {
        String text = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    /** Returns the tree of a text; empty, with a fault added, when the text has no tree. */
    public static Optional<Node> parse(String file, String text, Set<Fault> faults) {
        try {
            Optional<Node> root = Nodes.parse(file, text);
            if (root.isEmpty()) {
                faults.add(Fault.atStart(file, "the file is empty: there is nothing but comments in it"));
            }
            return root;
        } catch (YamlEngineException e) {
            faults.add(notYaml(file, e));
        }
        return Optional.empty();
    }

    /** Returns the reason why a text is not YAML, as a fault. */
    static Fault notYaml(String file, YamlEngineException e) {
        if (e instanceof MarkedYamlEngineException marked) {
            if (marked.getContextMark().isPresent() && "while scanning a quoted scalar".equals(marked.getContext())) {
                return Fault.at(file, marked.getContextMark(), "not YAML: the quote that begins here has no end");
            }
            if (String.valueOf(marked.getProblem()).startsWith("expected <block end>")) {
                int line =
                        marked.getContextMark().map(mark -> mark.getLine() + 1).orElse(1);
                return Fault.at(
                        file,
                        marked.getProblemMark(),
                        "not YAML: the indentation of this line fits nothing above it: put it under the first letter of"
                                + " the keys or the '- ' it belongs to, such as those of line " + line);
            }
            boolean hasContext =
                    marked.getContext() != null && !marked.getContext().isBlank();
            String context = hasContext ? marked.getContext() + ", " : "";
            return Fault.at(file, marked.getProblemMark(), "not YAML: " + context + marked.getProblem());
        }
        return Fault.atStart(file, "not YAML: " + e.getMessage());
    }

    /**
     * Returns the tree of a valid text with plain words as keys; empty for any other text. A check reports the faults.
     */
    public static Optional<Node> tree(String file, String text) {
        return parse(file, text, new LinkedHashSet<>())
                .filter(root -> badKeys(file, root).isEmpty());
    }

    /** Returns faults for keys that are not plain words, and for duplicate keys of a mapping. */
    public static List<Fault> badKeys(String file, Node root) {
        List<Fault> faults = new ArrayList<>();
        Nodes.walk(root, node -> {
            if (node instanceof MappingNode mapping) {
                Set<String> seen = new LinkedHashSet<>();
                for (NodeTuple tuple : mapping.getValue()) {
                    if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                        faults.add(Fault.at(file, tuple.getKeyNode(), "a key must be a plain word"));
                    } else if (key.getValue().equals("<<")) {
                        faults.add(Fault.at(
                                file,
                                key,
                                "Camel's YAML has no merge key '<<': write the keys out, or repeat a whole value with an"
                                        + " anchor and an alias ('&name', '*name')"));
                    } else if (!seen.add(key.getValue())) {
                        faults.add(Fault.at(file, key, "'" + key.getValue() + "' is given twice"));
                    }
                }
            }
        });
        return faults;
    }
}
