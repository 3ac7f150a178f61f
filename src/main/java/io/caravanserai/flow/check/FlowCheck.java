package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowText;
import io.caravanserai.flow.yaml.KameletInliner;
import io.caravanserai.flow.yaml.Kamelets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Tells whether a text may become a flow. From coarse to fine: is it YAML, is it Camel's YAML, do the Kamelets and
 * names in it exist, are the saga's rules kept, can Camel build it. A coarse fault hides the finer ones, which would be echoes of it.
 */
public final class FlowCheck {
    private FlowCheck() {}

    /** The faults of a text, in its order; empty when it may run. */
    public static List<Fault> check(String file, String text, CheckContext around) {
        return check(file, text, around, true);
    }

    /**
     * The faults that a text which is sound in itself has where it is now: names that nobody answers to, or that others
     * have. Takes a tenth of the time.
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
        return sorted(atUses(file, root.get(), faults, around.kamelets()));
    }

    /** What is wrong with a Kamelet of the hub comes of what a user gives it, and is told where the user names it. */
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
