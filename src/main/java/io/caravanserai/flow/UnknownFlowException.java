package io.caravanserai.flow;

/** There is no such flow, or it has no such version, or no orders can enter it. The message says which. */
public final class UnknownFlowException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UnknownFlowException(String message) {
        super(message);
    }
}
