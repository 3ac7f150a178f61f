package io.caravanserai.flow.deploy;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ends an exchange that goes round in a flow: the flow was deleted, replaced or stopped, or its routes call each other
 * without end. Carries no stack trace: the engine's frames say nothing about the flow. Thread-safe.
 */
public final class FlowEndedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final AtomicBoolean logged = new AtomicBoolean();

    FlowEndedException(String message) {
        super(message, null, false, false);
    }

    /** False when the failure has been logged before: many copies of one exchange may end with it. */
    public boolean markLogged() {
        return logged.compareAndSet(false, true);
    }
}
