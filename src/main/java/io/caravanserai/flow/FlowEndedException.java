package io.caravanserai.flow;

/**
 * Ends an exchange that goes round in a flow: the flow was deleted, replaced or stopped, or its routes call each other
 * without end. Carries no stack trace: the engine's frames say nothing about the flow.
 */
final class FlowEndedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FlowEndedException(String message) {
        super(message, null, false, false);
    }
}
