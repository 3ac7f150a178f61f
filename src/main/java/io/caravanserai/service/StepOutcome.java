package io.caravanserai.service;

import io.caravanserai.order.Reason;
import java.time.Duration;

/** What came of an action or a compensation. */
public sealed interface StepOutcome {

    StepOutcome DONE = new Done();
    StepOutcome SKIPPED = new Skipped();

    /** The word for it in figures: done, skipped, pending, refused or unavailable. */
    String label();

    /** The effect is in, now or from before. */
    record Done() implements StepOutcome {
        @Override
        public String label() {
            return "done";
        }
    }

    /** There was nothing to undo. */
    record Skipped() implements StepOutcome {
        @Override
        public String label() {
            return "skipped";
        }
    }

    /** The answer is not there yet: the work is to be run again after this pause. */
    record Later(Duration pause) implements StepOutcome {
        @Override
        public String label() {
            return "pending";
        }
    }

    /** The service decided against it, for good. */
    record Refused(Reason reason) implements StepOutcome {
        @Override
        public String label() {
            return "refused";
        }
    }

    /**
     * It may work another time.
     *
     * @param attempt how many attempts have failed so far, this one included
     */
    record Unavailable(int attempt, String detail) implements StepOutcome {
        @Override
        public String label() {
            return "unavailable";
        }
    }
}
