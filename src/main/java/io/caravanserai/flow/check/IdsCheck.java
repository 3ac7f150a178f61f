package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Checks that ids are unique: ids of routes across all files, ids of steps within the file, and consumed names. */
final class IdsCheck {
    private static final Set<String> FOREIGN = Set.of("parameters", "properties", "beans", "expression");

    private final String file;
    private final CheckContext around;
    private final Map<String, Integer> seen = new HashMap<>();
    private final List<Fault> faults = new ArrayList<>();

    private IdsCheck(String file, CheckContext around) {
        this.file = file;
        this.around = around;
    }

    static List<Fault> check(String file, Node root, CheckContext around) {
        IdsCheck check = new IdsCheck(file, around);
        check.collect(root);
        check.routes(root);
        check.served(root);
        return check.faults;
    }

    private void collect(Node node) {
        if (node instanceof SequenceNode sequence) {
            sequence.getValue().forEach(this::collect);
        } else if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                String key = ((ScalarNode) tuple.getKeyNode()).getValue();
                if (key.equals("id") && tuple.getValueNode() instanceof ScalarNode id) {
                    unique(id);
                } else if (!FOREIGN.contains(key)) {
                    collect(tuple.getValueNode());
                }
            }
        }
    }

    private void unique(ScalarNode id) {
        int line = id.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
        Integer first = seen.putIfAbsent(id.getValue(), line);
        if (first != null) {
            faults.add(Fault.at(file, id, "the id '" + id.getValue() + "' stands in line " + first + " already"));
        }
        if (id.getValue().contains("@")) {
            faults.add(Fault.at(file, id, "an id must not contain '@': the hub adds the version with it"));
        }
    }

    private void routes(Node root) {
        for (Node route : Nodes.valuesOf(root, "route")) {
            Nodes.value(route, "id").ifPresent(id -> {
                String other = id instanceof ScalarNode scalar ? around.ids().get(scalar.getValue()) : null;
                if (other != null) {
                    String where = other.isEmpty() ? "the hub itself" : other;
                    faults.add(
                            Fault.at(file, id, "the id '" + ((ScalarNode) id).getValue() + "' is taken by " + where));
                }
            });
        }
    }

    private void served(Node root) {
        Set<String> names = new HashSet<>();
        for (EndpointUse use : EndpointUse.in(root)) {
            String name = VersionedEndpoints.keyOf(use.full());
            if (use.role().equals("from") && name.startsWith("direct:") && !use.isDynamic() && !names.add(name)) {
                faults.add(Fault.at(file, use.node(), "'" + name + "' is served twice in this file"));
            }
        }
    }
}
