package io.caravanserai.flow.deploy;

import io.caravanserai.flow.check.CheckContext;
import io.caravanserai.flow.check.FlowCheck;
import io.caravanserai.flow.yaml.FlowText;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.KameletInliner;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Files that call each other, so that no file can be accepted first: each file is valid only together with the others.
 * @param texts by file
 */
public record MutuallyDependentFlows(Map<String, String> texts) {
    public static final MutuallyDependentFlows NONE = new MutuallyDependentFlows(Map.of());

    /**
     * Returns the largest subset of the files that is valid together.
     * @param around the check context of each file without the others
     */
    public static MutuallyDependentFlows of(Map<String, String> texts, Function<String, CheckContext> around) {
        MutuallyDependentFlows flows = new MutuallyDependentFlows(new TreeMap<>(texts));
        flows.texts
                .entrySet()
                .removeIf(each -> FlowText.tree(each.getKey(), each.getValue()).isEmpty());
        while (flows.texts
                .entrySet()
                .removeIf(each -> !FlowCheck.check(
                                each.getKey(),
                                each.getValue(),
                                flows.around(each.getKey(), around.apply(each.getKey())))
                        .isEmpty())) {
            // Repeats, because another file may have needed a removed file.
        }
        return flows;
    }

    /** Returns the check context of a file together with the other files. */
    public CheckContext around(String file, CheckContext around) {
        Map<String, String> names = new HashMap<>(around.others());
        Map<String, String> ids = new HashMap<>(around.ids());
        Map<String, Node> trees = new HashMap<>(around.trees());
        texts.forEach((other, text) -> {
            if (!other.equals(file)) {
                Node root = FlowText.tree(other, text).orElseThrow();
                trees.put(other, KameletInliner.writtenInto(other, root, around.kamelets(), new ArrayList<>()));
                VersionedEndpoints.of(FlowVersion.flowOf(other), root)
                        .names()
                        .forEach(name -> names.putIfAbsent(name, other));
                Nodes.valuesOf(root, "route")
                        .forEach(route -> Nodes.text(route, "id").ifPresent(id -> ids.putIfAbsent(id, other)));
            }
        });
        return new CheckContext(
                around.context(),
                around.kamelets(),
                around.served(),
                names,
                ids,
                around.doors(),
                trees,
                around.needed());
    }
}
