package io.caravanserai.flow;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
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

/**
 * Tells whether a text may become a flow. From coarse to fine: is it YAML, is it Camel's YAML, do the Kamelets and
 * names in it exist, are the saga's rules kept, can Camel build it. A coarse fault hides the finer ones, which would be echoes of it.
 */
final class FlowCheck {
    private FlowCheck() {}

    /** The faults of a text, in its order; empty when it may run. */
    static List<Fault> check(String file, String text, Surroundings around) {
        return check(file, text, around, true);
    }

    /**
     * The faults that a text which is sound in itself has where it is now: names that nobody answers to, or that others
     * have. Takes a tenth of the time.
     */
    static List<Fault> checkAround(String file, String text, Surroundings around) {
        return check(file, text, around, false);
    }

    private static List<Fault> check(String file, String text, Surroundings around, boolean alsoInItself) {
        if (text.isBlank()) {
            return List.of(Fault.atStart(file, "the file is empty"));
        }
        Set<Fault> faults = new LinkedHashSet<>();
        Optional<Node> root = parse(file, text, faults);
        if (root.isEmpty()) {
            return sorted(faults);
        }
        faults.addAll(badKeys(file, root.get()));
        if (faults.isEmpty() && alsoInItself) {
            faults.addAll(SchemaCheck.check(file, root.get()));
        }
        Node whole = root.get();
        if (faults.isEmpty()) {
            whole = withKamelets(file, root.get(), around, faults);
        }
        if (faults.isEmpty()) {
            faults.addAll(NamesCheck.check(file, whole, around));
            faults.addAll(SecretsCheck.check(file, whole, around));
            if (alsoInItself) {
                faults.addAll(AllowedUse.check(file, whole, around));
            }
            faults.addAll(IdsCheck.check(file, whole, around));
            faults.addAll(HttpDoors.check(file, whole, around));
            faults.addAll(SagaCheck.check(file, whole));
            if (alsoInItself) {
                faults.addAll(StepRules.check(file, whole, around));
                faults.addAll(StepNeeds.check(file, whole, around));
                faults.addAll(ClassesCheck.check(file, whole, around));
            }
            faults.addAll(RetryCheck.check(file, whole));
            faults.addAll(ConfigurationsCheck.check(file, whole));
        }
        if (faults.isEmpty() && alsoInItself) {
            faults.addAll(ScratchCheck.check(file, text, whole, around));
        }
        return sorted(atUses(file, root.get(), faults, around.kamelets()));
    }

    /** What is wrong with a Kamelet of the hub comes of what a user gives it, and is told where the user names it. */
    private static Set<Fault> atUses(String file, Node root, Set<Fault> faults, Kamelets kamelets) {
        Set<Fault> told = new LinkedHashSet<>();
        for (Fault fault : faults) {
            boolean isMoved = fault.file().endsWith(Kamelets.ENDING) && kamelets.isOfTheHub(fault.file());
            String within = " (in " + fault.file() + ":" + fault.line() + ":" + fault.column() + ")";
            told.add(isMoved ? Fault.at(file, KameletSteps.use(root, fault.file()), fault.message() + within) : fault);
        }
        return told;
    }

    private static Node withKamelets(String file, Node root, Surroundings around, Set<Fault> faults) {
        List<Fault> found = new ArrayList<>();
        Node whole = KameletSteps.writtenInto(file, root, around.kamelets(), found);
        faults.addAll(found);
        if (found.isEmpty() && whole != root) {
            faults.addAll(SchemaCheck.check(file, whole));
        }
        return whole;
    }

    /**
     * The text of a file's bytes.
     *
     * @throws CharacterCodingException when they are not UTF-8
     */
    static String decode(byte[] bytes) throws CharacterCodingException {
        String text = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    private static Optional<Node> parse(String file, String text, Set<Fault> faults) {
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

    /** The tree of a text that is one, with plain words as keys; what is wrong with others is told by a check. */
    static Optional<Node> tree(String file, String text) {
        return parse(file, text, new LinkedHashSet<>())
                .filter(root -> badKeys(file, root).isEmpty());
    }

    /** Keys that are not plain words, or stand twice in one place. */
    static List<Fault> badKeys(String file, Node root) {
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

    private static List<Fault> sorted(Set<Fault> faults) {
        return faults.stream().sorted(Fault.BY_PLACE).toList();
    }
}
