package io.caravanserai.saga;

import java.util.Optional;

/**
 * The state of a saga. A transition is a method that exists only on the states that allow the transition. The CHECK
 * constraint of the table states the same rule. docs/sagas.md has the diagram.
 */
public sealed interface SagaState {

    SagaStatus status();

    /** The cause of the compensation; empty for other states. */
    default Optional<Cause> why() {
        return Optional.empty();
    }

    /** Steps join and run. */
    record Running() implements SagaState {
        @Override
        public SagaStatus status() {
            return SagaStatus.RUNNING;
        }

        public Compensating compensate(Cause cause) {
            return new Compensating(cause);
        }

        public Completed complete() {
            return new Completed();
        }
    }

    /** The effects of the steps are being undone, last step first. */
    record Compensating(Cause cause) implements SagaState {
        @Override
        public SagaStatus status() {
            return SagaStatus.COMPENSATING;
        }

        @Override
        public Optional<Cause> why() {
            return Optional.of(cause);
        }

        public Compensated finish() {
            return new Compensated(cause);
        }

        public Stuck giveUp() {
            return new Stuck(cause);
        }
    }

    /** A compensation has no attempts left; a person must act. */
    record Stuck(Cause cause) implements SagaState {
        @Override
        public SagaStatus status() {
            return SagaStatus.STUCK;
        }

        @Override
        public Optional<Cause> why() {
            return Optional.of(cause);
        }

        public Compensating retry() {
            return new Compensating(cause);
        }

        /** A person has undone the remaining effects. */
        public Compensated resolve() {
            return new Compensated(cause);
        }
    }

    /** Final: the saga succeeded. */
    record Completed() implements SagaState {
        @Override
        public SagaStatus status() {
            return SagaStatus.COMPLETED;
        }
    }

    /** Final: all effects are undone. */
    record Compensated(Cause cause) implements SagaState {
        @Override
        public SagaStatus status() {
            return SagaStatus.COMPENSATED;
        }

        @Override
        public Optional<Cause> why() {
            return Optional.of(cause);
        }
    }
}
