package io.caravanserai.outside;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The queue of calls to one service, with a limit on calls in flight. When most recent calls have failed, a circuit
 * breaker admits only a few calls a second until the service answers again. A waiting call has not been sent: waiting
 * is no failure and uses up no attempt. Thread-safe.
 */
final class ServiceLine {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceLine.class);
    private static final int CALLS_JUDGED = 50;
    private static final int TRIAL_CALLS = 10;
    private static final Duration OPEN = Duration.ofSeconds(1);
    private static final long TICK_MILLIS = 100;
    private static final Duration SWEEP_EVERY = Duration.ofSeconds(1);

    /** The effect of a call on the circuit breaker. */
    enum Use {
        ANSWERED,
        FAILED,
        /** Nothing was sent. */
        NONE
    }

    private final String target;
    private final CircuitBreaker breaker;
    private final ScheduledExecutorService timer;
    private final Consumer<List<CallRun>> sweep;
    private final Deque<CallRun> waiting = new ArrayDeque<>();
    private int maxConcurrent = 1;
    private int inFlight;
    private long pausedUntil = System.nanoTime();
    private long lastSweep = System.nanoTime();
    private boolean ticking;
    private boolean pumping;
    private boolean isOpenTold;

    /** @param sweep receives the waiting calls about once a second; must not block */
    ServiceLine(String target, ScheduledExecutorService timer, Consumer<List<CallRun>> sweep) {
        this.target = target;
        this.timer = timer;
        this.sweep = sweep;
        this.breaker = CircuitBreaker.of(
                target,
                CircuitBreakerConfig.custom()
                        .slidingWindowSize(CALLS_JUDGED)
                        .minimumNumberOfCalls(CALLS_JUDGED)
                        .failureRateThreshold(50)
                        .waitDurationInOpenState(OPEN)
                        .permittedNumberOfCallsInHalfOpenState(TRIAL_CALLS)
                        .build());
        breaker.getEventPublisher()
                .onStateTransition(event -> tell(event.getStateTransition().getToState()));
    }

    private synchronized void tell(State state) {
        if (state == State.OPEN && !isOpenTold) {
            isOpenTold = true;
            LOG.atWarn()
                    .addKeyValue("service", target)
                    .log(
                            "most calls to a service outside fail; circuit breaker opened, calls wait and some try every second");
        } else if (state == State.CLOSED && isOpenTold) {
            isOpenTold = false;
            LOG.atInfo().addKeyValue("service", target).log("a service outside answers again; circuit breaker closed");
        }
    }

    /** Sets the maximum number of calls in flight. */
    void allow(int calls) {
        synchronized (this) {
            maxConcurrent = calls;
        }
        pump();
    }

    /** Adds a call to the queue. */
    void enter(CallRun run) {
        synchronized (this) {
            waiting.add(run);
        }
        pump();
    }

    /** Removes a call; returns false when the call does not wait any more. */
    synchronized boolean remove(CallRun run) {
        return waiting.remove(run);
    }

    /** Frees the place of a call. */
    void leave(Use use, Duration retryAfter) {
        synchronized (this) {
            inFlight--;
            switch (use) {
                case ANSWERED -> breaker.onSuccess(0, TimeUnit.NANOSECONDS);
                case FAILED -> breaker.onError(0, TimeUnit.NANOSECONDS, new IllegalStateException("failed"));
                case NONE -> breaker.releasePermission();
            }
            if (!retryAfter.isZero()) {
                pausedUntil = Math.max(pausedUntil, System.nanoTime() + retryAfter.toNanos());
            }
        }
        pump();
    }

    /**
     * Starts calls while places are free. A start that ends at once calls this method again; the running loop then
     * continues.
     */
    private void pump() {
        synchronized (this) {
            if (pumping) {
                return;
            }
            pumping = true;
        }
        for (CallRun next = next(); next != null; next = next()) {
            try {
                next.start();
            } catch (RuntimeException e) {
                // The other calls continue.
                next.fail(e);
                leave(Use.NONE, Duration.ZERO);
            }
        }
    }

    private synchronized CallRun next() {
        boolean mayStart = !waiting.isEmpty() && inFlight < maxConcurrent;
        if (mayStart && System.nanoTime() - pausedUntil >= 0 && breaker.tryAcquirePermission()) {
            inFlight++;
            return waiting.poll();
        }
        pumping = false;
        if (!waiting.isEmpty() && !ticking && !timer.isShutdown()) {
            ticking = true;
            timer.schedule(this::tick, TICK_MILLIS, TimeUnit.MILLISECONDS);
        }
        return null;
    }

    private void tick() {
        List<CallRun> toSweep = List.of();
        synchronized (this) {
            ticking = false;
            if (System.nanoTime() - lastSweep >= SWEEP_EVERY.toNanos()) {
                lastSweep = System.nanoTime();
                toSweep = List.copyOf(waiting);
            }
        }
        try {
            if (!toSweep.isEmpty()) {
                sweep.accept(toSweep);
            }
        } finally {
            pump();
        }
    }

    /** Returns why waiting calls do not start, as text for operators. */
    synchronized String obstacle() {
        return breaker.getState() == State.CLOSED
                ? "all " + maxConcurrent + " places for calls to " + target + " are taken"
                : "most calls to " + target + " fail (circuit breaker " + breaker.getState() + ")";
    }

    /** Removes and returns all waiting calls. */
    synchronized List<CallRun> drain() {
        List<CallRun> all = List.copyOf(waiting);
        waiting.clear();
        return all;
    }
}
