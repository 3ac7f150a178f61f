package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.Nodes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * Checks the numbers of redelivery policies. Camel parses the numbers only when the first message fails, which then
 * fails with a parse error. Delays of an error handler may have a unit, delays of an onException may not.
 */
final class RetryCheck {
    private static final String WHOLE = "-?[0-9]{1,18}";
    private static final String DECIMAL = "[0-9]+([.][0-9]+)?";
    private static final Map<String, String> NUMBERS = Map.of(
            "maximumRedeliveries", WHOLE,
            "redeliveryDelay", WHOLE,
            "maximumRedeliveryDelay", WHOLE,
            "backOffMultiplier", DECIMAL,
            "collisionAvoidanceFactor", DECIMAL);

    private RetryCheck() {}

    static List<Fault> check(String file, Node root) {
        List<Fault> faults = new ArrayList<>();
        Set<Node> ofErrorHandlers = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Node handler : Nodes.valuesOf(root, "errorHandler")) {
            ofErrorHandlers.addAll(Nodes.valuesOf(handler, "redeliveryPolicy"));
        }
        for (Node policy : Nodes.valuesOf(root, "redeliveryPolicy")) {
            NUMBERS.forEach((key, form) -> {
                boolean mayHaveUnit = key.endsWith("Delay") && ofErrorHandlers.contains(policy);
                if (!mayHaveUnit
                        && Nodes.value(policy, key).orElse(null) instanceof ScalarNode value
                        && !value.getValue().matches(form)
                        && !value.getValue().contains("{{")) {
                    String unit = key.endsWith("Delay") ? " of milliseconds, without a unit" : "";
                    faults.add(Fault.at(
                            file, value, "'" + key + "' must be a number" + unit + ", not '" + value.getValue() + "'"));
                }
            });
        }
        return faults;
    }
}
