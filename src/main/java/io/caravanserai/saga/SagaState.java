package io.caravanserai.saga;

import java.util.Optional;

/**
 * A saga's state; a transition is a method, and only the states that allow it have it. The table's CHECK states the same
 * law. docs/sagas.md has the diagram.
 */
public sealed interface SagaState {

    SagaStatus status();

    /** Why it is, or was, compensated; empty for the others. */
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

    /** What the steps did is being undone, last first. */
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

    /** A compensation used up its attempts; waits for a person. */
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

        /** A person has undone by hand what was left. */
        public Compensated resolve() {
            return new Compensated(cause);
        }
    }

    /** The good end. */
    record Completed() implements SagaState {
        @Override
        public SagaStatus status() {
            return SagaStatus.COMPLETED;
        }
    }

    /** The other end: everything undone. */
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
