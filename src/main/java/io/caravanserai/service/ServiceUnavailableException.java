package io.caravanserai.service;

/** A service failed for the moment: the flow says how often and after what waits it is tried again. */
public final class ServiceUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final StepName step;
    private final int attempt;
    private final boolean undo;

    /** @param attempt how many attempts have failed so far */
    public ServiceUnavailableException(StepName step, int attempt, String detail) {
        this(step, attempt, detail, false);
    }

    /** @param undo whether the step was to be undone */
    public ServiceUnavailableException(StepName step, int attempt, String detail, boolean undo) {
        super(step.name() + ": " + detail, null, false, false);
        this.step = step;
        this.attempt = attempt;
        this.undo = undo;
    }

    public StepName step() {
        return step;
    }

    public int attempt() {
        return attempt;
    }

    /** Whether the step was to be undone, which nobody gives up silently. */
    public boolean isUndo() {
        return undo;
    }
}
