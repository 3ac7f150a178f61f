package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Checks that the Java classes in a flow exist, and that thrown and caught classes are exceptions. */
final class ClassesCheck {
    /** Keys with a class under the key {@code type}. */
    private static final Set<String> TYPED = Set.of("beans", "convertBodyTo", "convertHeaderTo", "convertVariableTo");

    private static final String PARAMETERS = "parameters";
    /** Keys whose value is always a class. */
    private static final Map<String, Class<?>> CLASSES = Map.of(
            "beanType", Object.class,
            "unmarshalType", Object.class,
            "exceptionType", Throwable.class,
            "exception", Throwable.class);

    private final String file;
    private final CamelContext context;
    private final List<Fault> faults = new ArrayList<>();

    private ClassesCheck(String file, CamelContext context) {
        this.file = file;
        this.context = context;
    }

    static List<Fault> check(String file, Node root, CheckContext around) {
        ClassesCheck check = new ClassesCheck(file, around.context());
        check.walk(root, "");
        for (EndpointUse use : EndpointUse.in(root)) {
            if (use.scheme().equals("class") && !use.isDynamic()) {
                String name = use.full().replaceFirst("^class:(//)?", "").split("[?]", 2)[0];
                check.exists(use.node(), name, Object.class);
            }
        }
        return check.faults;
    }

    private void walk(Node node, String role) {
        if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(item -> walk(item, role));
        } else if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                Node value = tuple.getValueNode();
                boolean isType = key.equals("type") && TYPED.contains(role);
                Optional<Class<?>> kind = isType ? Optional.of(Object.class) : Optional.ofNullable(CLASSES.get(key));
                kind.ifPresent(each -> named(value, each));
                if (!key.equals(PARAMETERS) && !key.equals("properties") && !key.equals("constructors")) {
                    walk(value, key);
                }
            }
        }
    }

    private void named(Node value, Class<?> kind) {
        if (value instanceof SequenceNode list) {
            list.getValue().forEach(item -> named(item, kind));
        } else if (value instanceof ScalarNode text) {
            exists(text, text.getValue(), kind);
        }
    }

    private void exists(ScalarNode place, String written, Class<?> kind) {
        String name = written.strip().replaceFirst("^#class:", "").split("[(#]", 2)[0];
        if (name.isEmpty() || written.startsWith("#type:") || written.startsWith("#bean:") || name.contains("{{")) {
            return;
        }
        Class<?> found = context.getClassResolver().resolveClass(name);
        if (found == null) {
            faults.add(Fault.at(
                    file,
                    place,
                    "there is no class '" + name
                            + "': write its full name, and see that its jar is on the class path"));
        } else if (kind.equals(Throwable.class) && !kind.isAssignableFrom(found)) {
            faults.add(Fault.at(file, place, "the class '" + name + "' is no exception"));
        }
    }
}
