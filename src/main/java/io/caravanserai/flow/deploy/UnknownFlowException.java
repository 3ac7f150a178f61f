package io.caravanserai.flow.deploy;

/** The flow or the version does not exist, or accepts no orders. The message gives the reason. */
public final class UnknownFlowException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UnknownFlowException(String message) {
        super(message);
    }
}
