package io.caravanserai.service;

import java.time.Duration;

/** A service failed transiently. The flow decides on the number of attempts and the delays. */
public final class ServiceUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final StepName step;
    private final int attempt;
    private final boolean undo;
    private final boolean inHistory;
    private final Duration retryAfter;

    /** @param attempt number of failed attempts so far */
    public ServiceUnavailableException(StepName step, int attempt, String detail) {
        this(step, attempt, detail, false);
    }

    /** @param undo whether the call is a compensation */
    public ServiceUnavailableException(StepName step, int attempt, String detail, boolean undo) {
        this(step, attempt, detail, undo, true, Duration.ZERO);
    }

    /**
     * @param attempt number of failed attempts so far
     * @param undo whether the call is a compensation
     * @param inHistory whether the attempt belongs in the order history: the call was sent, and is part of a step
     * @param retryAfter minimum delay that the service asks for; zero when the service asks for none
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

    /** Whether the call is a compensation. A failed compensation is never dropped. */
    public boolean isUndo() {
        return undo;
    }

    /** Whether the failed attempt belongs in the order history. */
    public boolean isInHistory() {
        return inHistory;
    }

    /** Minimum delay that the service asks for; zero when the service asks for none. */
    public Duration retryAfter() {
        return retryAfter;
    }

    /** Why the service failed, without the step name, which the reply to a command repeats. */
    public String detail() {
        String prefix = step.name() + ": ";
        String detail = getMessage();
        while (detail.startsWith(prefix)) {
            detail = detail.substring(prefix.length());
        }
        return detail;
    }
}
