package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowText;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.KameletInliner;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Checks whether a text can become a flow. The checks go from coarse to fine: YAML syntax, Camel's YAML schema,
 * Kamelets and names, rules of sagas, and a trial build by Camel. A coarse fault hides finer faults, which would be
 * consequences.
 */
public final class FlowCheck {
    private FlowCheck() {}

    /** Returns the faults of a text, in the order of the text; empty when the text can run. */
    public static List<Fault> check(String file, String text, CheckContext around) {
        return check(file, text, around, true);
    }

    /**
     * Returns the faults of a valid text in this context: endpoint names without a consumer, and names that are already
     * taken. Takes a tenth of the time of a full check.
     */
    public static List<Fault> checkAround(String file, String text, CheckContext around) {
        return check(file, text, around, false);
    }

    private static List<Fault> check(String file, String text, CheckContext around, boolean alsoInItself) {
        if (text.isBlank()) {
            return List.of(Fault.atStart(file, "the file is empty"));
        }
        Set<Fault> faults = new LinkedHashSet<>();
        Optional<Node> root = FlowText.parse(file, text, faults);
        if (root.isEmpty()) {
            return sorted(faults);
        }
        faults.addAll(FlowText.badKeys(file, root.get()));
        if (faults.isEmpty() && alsoInItself) {
            faults.addAll(SchemaCheck.check(file, root.get()));
        }
        Node whole = root.get();
        if (faults.isEmpty()) {
            whole = withKamelets(file, root.get(), around, faults);
        }
        if (faults.isEmpty()) {
            faults.addAll(EndpointCheck.check(file, whole, around));
            faults.addAll(SecretsCheck.check(file, whole, around));
            if (alsoInItself) {
                faults.addAll(AllowedUse.check(file, whole, around));
            }
            faults.addAll(IdsCheck.check(file, whole, around));
            faults.addAll(HttpIngress.check(file, whole, around));
            faults.addAll(SagaCheck.check(file, whole));
            if (alsoInItself) {
                faults.addAll(StepRules.check(file, whole, around));
                faults.addAll(InterceptCheck.check(file, whole, around));
                faults.addAll(StepNeeds.check(file, whole, around));
                faults.addAll(ClassesCheck.check(file, whole, around));
            }
            faults.addAll(RetryCheck.check(file, whole));
            faults.addAll(ConfigurationsCheck.check(file, whole));
        }
        if (faults.isEmpty() && alsoInItself) {
            faults.addAll(ScratchCheck.check(file, text, whole, around));
        }
        if (faults.isEmpty()) {
            faults.addAll(neededNames(file, root.get(), around));
        }
        return sorted(atUses(file, root.get(), faults, around.kamelets()));
    }

    /** Names that the running version of the file serves, that other files call, and that the text no longer serves. */
    private static List<Fault> neededNames(String file, Node root, CheckContext around) {
        VersionedEndpoints names = VersionedEndpoints.of(FlowVersion.flowOf(file), root);
        return around.needed().entrySet().stream()
                .filter(need -> !names.contains(need.getKey()))
                .map(need -> Fault.atStart(
                        file,
                        "nothing answers at '" + need.getKey() + "' any more, which " + need.getValue() + " calls"))
                .toList();
    }

    /**
     * Moves a fault in a Kamelet of the hub to the place where the user uses the Kamelet, because the parameters cause
     * the fault.
     */
    private static Set<Fault> atUses(String file, Node root, Set<Fault> faults, Kamelets kamelets) {
        Set<Fault> told = new LinkedHashSet<>();
        for (Fault fault : faults) {
            boolean isMoved = fault.file().endsWith(Kamelets.ENDING) && kamelets.isOfTheHub(fault.file());
            String within = " (in " + fault.file() + ":" + fault.line() + ":" + fault.column() + ")";
            told.add(
                    isMoved ? Fault.at(file, KameletInliner.use(root, fault.file()), fault.message() + within) : fault);
        }
        return told;
    }

    private static Node withKamelets(String file, Node root, CheckContext around, Set<Fault> faults) {
        List<Fault> found = new ArrayList<>();
        Node whole = KameletInliner.writtenInto(file, root, around.kamelets(), found);
        faults.addAll(found);
        if (found.isEmpty() && whole != root) {
            faults.addAll(SchemaCheck.check(file, whole));
        }
        return whole;
    }

    private static List<Fault> sorted(Set<Fault> faults) {
        return faults.stream().sorted(Fault.BY_PLACE).toList();
    }
}
