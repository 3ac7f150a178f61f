package io.caravanserai.flow.deploy;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ends an exchange that loops in a flow: the flow was deleted, replaced or stopped, or the routes of the flow call each
 * other endlessly. Has no stack trace, because the frames of the engine tell nothing about the flow. Thread-safe.
 */
public final class FlowEndedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final AtomicBoolean logged = new AtomicBoolean();

    FlowEndedException(String message) {
        super(message, null, false, false);
    }

    /** Returns false when the failure was logged before: many copies of an exchange may end with this failure. */
    public boolean markLogged() {
        return logged.compareAndSet(false, true);
    }
}
