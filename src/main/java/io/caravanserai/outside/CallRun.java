package io.caravanserai.outside;

import io.caravanserai.outside.CallRules.Standing;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** One attempt of a call: waits for a free place, checks the order, sends the call, records the result. */
final class CallRun {
    private static final long UNTIL_DELIVERED_MILLIS = 1_000;
    /** Delay before the next request to a service that has not decided yet. */
    private static final long ASK_AGAIN_MILLIS = 500;

    /**
     * How long a compensation or notification waits before the attempt fails without a call. A step of an order that
     * goes forward waits until the deadline of the order.
     */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Call call;
    private final int attempt;
    private final String lastFailure;
    private final Transport.Request request;
    private final Transport transport;
    private final ServiceLine line;
    private final CallRules rules;
    private final StepsInFlight steps;
    private final ScheduledExecutorService timer;
    private final long began = System.nanoTime();
    private final CompletableFuture<CallResult> result = new CompletableFuture<>();

    CallRun(
            Call call,
            int attempt,
            String lastFailure,
            Transport.Request request,
            Transport transport,
            ServiceLine line,
            CallRules rules,
            StepsInFlight steps,
            ScheduledExecutorService timer) {
        this.call = call;
        this.attempt = attempt;
        this.lastFailure = lastFailure;
        this.request = request;
        this.transport = transport;
        this.line = line;
        this.rules = rules;
        this.steps = steps;
        this.timer = timer;
    }

    Call call() {
        return call;
    }

    CompletableFuture<CallResult> result() {
        return result;
    }

    /**
     * Waits for a free place. A compensation first waits for the calls of the step to end; the step cannot begin again
     * then.
     */
    void enter() {
        if (call.isUndo() && call.subject() != null) {
            steps.ended(call.subject()).thenRun(() -> line.enter(this));
        } else {
            line.enter(this);
        }
    }

    /** Called when the line has a free place. */
    void start() {
        if (result.isDone()) {
            line.leave(ServiceLine.Use.NONE, Duration.ZERO);
            return;
        }
        CompletableFuture<Void> ended = new CompletableFuture<>();
        if (call.action() == CallAction.DO && call.subject() != null) {
            // Added before the check of the order. A compensation that does not see this call has turned the order back
            // before, so the check refuses the call.
            steps.add(call.subject(), ended);
        }
        begin().whenComplete((standing, failure) -> {
            if (failure != null || standing == Standing.TURNED_BACK && call.action() == CallAction.DO) {
                ended.complete(null);
                line.leave(ServiceLine.Use.NONE, Duration.ZERO);
                if (failure != null) {
                    fail(failure);
                } else {
                    result.complete(new CallResult.TurnedBack());
                }
            } else {
                send(standing, ended);
            }
        });
    }

    private CompletableFuture<Standing> begin() {
        try {
            return rules.begin(call, attempt, lastFailure);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void send(Standing standing, CompletableFuture<Void> ended) {
        Transport.Sending sending;
        try {
            sending = transport.send(request);
        } catch (RuntimeException e) {
            ended.complete(null);
            line.leave(ServiceLine.Use.NONE, Duration.ZERO);
            fail(e);
            return;
        }
        sending.result().whenComplete((outcome, failure) -> {
            ended.complete(null);
            CallResult known = failure == null ? outcome : new CallResult.Failed(String.valueOf(failure));
            sending.released().whenComplete((released, ignored) -> leave(known));
            take(standing, known);
        });
    }

    private void leave(CallResult outcome) {
        boolean failed = outcome instanceof CallResult.Failed || outcome instanceof CallResult.NotDelivered;
        Duration retryAfter = outcome instanceof CallResult.Failed why ? why.retryAfter() : Duration.ZERO;
        line.leave(failed ? ServiceLine.Use.FAILED : ServiceLine.Use.ANSWERED, retryAfter);
    }

    private void take(Standing standing, CallResult outcome) {
        if (result.isDone()) {
            return;
        }
        if (outcome instanceof CallResult.NotDelivered lost) {
            again(standing, UNTIL_DELIVERED_MILLIS, lost);
        } else if (outcome instanceof CallResult.Pending pending) {
            long pause = Math.max(ASK_AGAIN_MILLIS, pending.retryAfter().toMillis());
            again(standing, pause, new CallResult.Failed(pending.detail()));
        } else if (outcome instanceof CallResult.Answered && call.isInHistory()) {
            rules.done(call, attempt).whenComplete((recorded, failure) -> {
                if (failure == null) {
                    result.complete(outcome);
                } else {
                    fail(failure);
                }
            });
        } else {
            result.complete(outcome);
        }
    }

    private void again(Standing standing, long pauseMillis, CallResult otherwise) {
        if (hasPatience(standing)) {
            timer.schedule(this::enter, pauseMillis, TimeUnit.MILLISECONDS);
        } else {
            result.complete(otherwise);
        }
    }

    /** Called from time to time while the call waits. */
    void stillWaits(Standing standing) {
        if (standing == Standing.TURNED_BACK && call.action() == CallAction.DO) {
            end(new CallResult.TurnedBack());
        } else if (!hasPatience(standing)) {
            end(new CallResult.NotDelivered(line.obstacle()));
        }
    }

    private boolean hasPatience(Standing standing) {
        return call.action() == CallAction.DO && standing == Standing.FORWARD
                || System.nanoTime() - began < PATIENCE.toNanos();
    }

    private void end(CallResult outcome) {
        if (line.remove(this)) {
            result.complete(outcome);
        }
    }

    void fail(Throwable failure) {
        result.completeExceptionally(failure);
    }
}
