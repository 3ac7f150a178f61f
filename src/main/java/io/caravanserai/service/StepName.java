package io.caravanserai.service;

import io.caravanserai.order.Step;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Optional;

/**
 * The name of a step of an order: that of a {@link Step}, or of a step that a flow adds, such as {@code check-fraud}.
 *
 * @param name a lower-case letter, then at most 63 of lower-case letters, digits and dashes
 */
public record StepName(String name) implements Serializable {

    /** @throws IllegalArgumentException when it is no such name; the message says so */
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

    /** The step of the hub's services with this name; empty for a step that a flow adds. */
    public Optional<Step> step() {
        return Arrays.stream(Step.values())
                .filter(step -> step.action().equals(name))
                .findFirst();
    }

    /** What an order's history calls the undoing of the step. */
    public String compensation() {
        return step().flatMap(Step::compensation).orElse(name);
    }

    @Override
    public String toString() {
        return name;
    }
}
