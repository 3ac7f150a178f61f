package io.caravanserai.flow;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * Checks the numbers of redelivery policies: Camel reads them only when the first message fails, and then that message
 * fails of them.
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
        for (Node policy : Nodes.valuesOf(root, "redeliveryPolicy")) {
            NUMBERS.forEach((key, form) -> {
                if (Nodes.value(policy, key).orElse(null) instanceof ScalarNode value
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
