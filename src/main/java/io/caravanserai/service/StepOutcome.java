package io.caravanserai.service;

import io.caravanserai.order.Reason;
import java.time.Duration;

/** The outcome of an action or a compensation. */
public sealed interface StepOutcome {

    StepOutcome DONE = new Done();
    StepOutcome SKIPPED = new Skipped();

    /** Value of the outcome label in meters: done, skipped, pending, refused or unavailable. */
    String label();

    /** The effect is recorded, by this or an earlier attempt. */
    record Done() implements StepOutcome {
        @Override
        public String label() {
            return "done";
        }
    }

    /** The compensation found nothing to undo. */
    record Skipped() implements StepOutcome {
        @Override
        public String label() {
            return "skipped";
        }
    }

    /** The outcome is not known yet: run the work again after the pause. */
    record Later(Duration pause) implements StepOutcome {
        @Override
        public String label() {
            return "pending";
        }
    }

    /** The service refused finally. */
    record Refused(Reason reason) implements StepOutcome {
        @Override
        public String label() {
            return "refused";
        }
    }

    /**
     * The attempt failed transiently.
     * @param attempt number of failed attempts so far, including this attempt
     */
    record Unavailable(int attempt, String detail) implements StepOutcome {
        @Override
        public String label() {
            return "unavailable";
        }
    }
}
