package io.caravanserai.service;

import io.caravanserai.order.Step;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Optional;

/**
 * The name of a step: of a {@link Step}, or of a step that a flow adds, for example {@code check-fraud}.
 * @param name a lower-case letter, then at most 63 lower-case letters, digits and dashes
 */
public record StepName(String name) implements Serializable {

    /** @throws IllegalArgumentException when the name is invalid; the message gives the rule */
    public StepName {
        if (name == null || !name.matches("[a-z][a-z0-9-]{0,63}")) {
            throw new IllegalArgumentException(
                    "'" + name + "' is no name of a step: take a lower-case letter, then at most"
                            + " 63 lower-case letters, digits and dashes, such as check-fraud");
        }
    }

    public static StepName of(Step step) {
        return new StepName(step.action());
    }

    /** Returns the service step with this name; empty for a step that a flow adds. */
    public Optional<Step> step() {
        return Arrays.stream(Step.values())
                .filter(step -> step.action().equals(name))
                .findFirst();
    }

    /** Returns the name of the compensation in the order history. */
    public String compensation() {
        return step().flatMap(Step::compensation).orElse(name);
    }

    @Override
    public String toString() {
        return name;
    }
}
