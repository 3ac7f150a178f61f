package io.caravanserai.service;

import java.time.Duration;

/** A service failed for the moment: the flow says how often and after what waits it is tried again. */
public final class ServiceUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final StepName step;
    private final int attempt;
    private final boolean undo;
    private final boolean inHistory;
    private final Duration retryAfter;

    /** @param attempt how many attempts have failed so far */
    public ServiceUnavailableException(StepName step, int attempt, String detail) {
        this(step, attempt, detail, false);
    }

    /** @param undo whether the step was to be undone */
    public ServiceUnavailableException(StepName step, int attempt, String detail, boolean undo) {
        this(step, attempt, detail, undo, true, Duration.ZERO);
    }

    /**
     * @param attempt how many attempts have failed so far
     * @param undo whether the step was to be undone
     * @param inHistory whether the attempt belongs in the history of the order: it was made, and for a step
     * @param retryAfter how long the service wants to be spared; zero when it does not say
     */
    public ServiceUnavailableException(
            StepName step, int attempt, String detail, boolean undo, boolean inHistory, Duration retryAfter) {
        super(step.name() + ": " + detail, null, false, false);
        this.step = step;
        this.attempt = attempt;
        this.undo = undo;
        this.inHistory = inHistory;
        this.retryAfter = retryAfter;
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

    /** Whether the failed attempt belongs in the history of the order. */
    public boolean isInHistory() {
        return inHistory;
    }

    /** How long the service wants to be spared; zero when it does not say. */
    public Duration retryAfter() {
        return retryAfter;
    }

    /** Why the service failed, without the name of the step, which a reply to a command repeats. */
    public String detail() {
        String prefix = step.name() + ": ";
        String detail = getMessage();
        while (detail.startsWith(prefix)) {
            detail = detail.substring(prefix.length());
        }
        return detail;
    }
}
