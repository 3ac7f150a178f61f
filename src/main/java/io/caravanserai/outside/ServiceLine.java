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
 * The calls to one service: so many at once, the others wait in their order. When most of the last calls have failed, a
 * circuit breaker lets only a few through every second until the service answers again. A call that waits has not been
 * made: waiting is no failure and uses up no attempt. Thread-safe.
 */
final class ServiceLine {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceLine.class);
    private static final int CALLS_JUDGED = 50;
    private static final int TRIAL_CALLS = 10;
    private static final Duration OPEN = Duration.ofSeconds(1);
    private static final long TICK_MILLIS = 100;
    private static final Duration SWEEP_EVERY = Duration.ofSeconds(1);

    /** What a call was to the breaker. */
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

    /** @param sweep given the calls that wait, about once a second; must not block */
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

    /** From now on so many calls may be under way. */
    void allow(int calls) {
        synchronized (this) {
            maxConcurrent = calls;
        }
        pump();
    }

    /** Has a call wait for its turn. */
    void enter(CallRun run) {
        synchronized (this) {
            waiting.add(run);
        }
        pump();
    }

    /** Takes a call out; false when it does not wait here any more. */
    synchronized boolean remove(CallRun run) {
        return waiting.remove(run);
    }

    /** Gives back what a call was given when it started. */
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

    /** Starts what may start. A start that ends at once comes back here: the loop that runs then goes on. */
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
                // The line goes on with the others.
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

    /** Why a call that waits has not started, for people. */
    synchronized String obstacle() {
        return breaker.getState() == State.CLOSED
                ? "all " + maxConcurrent + " places for calls to " + target + " are taken"
                : "most calls to " + target + " fail (circuit breaker " + breaker.getState() + ")";
    }

    /** Takes all calls out that wait. */
    synchronized List<CallRun> drain() {
        List<CallRun> all = List.copyOf(waiting);
        waiting.clear();
        return all;
    }
}
