package io.caravanserai.outside;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Makes calls to outside services. Concurrent calls with the same idempotency key to the same service are one call with
 * one result. Thread-safe.
 */
final class OutsideCalls implements AutoCloseable {
    private final CallRules rules;
    private final Map<String, ServiceLine> lines = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<Made>> inFlight = new ConcurrentHashMap<>();
    private final Set<CallRun> runs = ConcurrentHashMap.newKeySet();
    private final FailedAttempts failed = new FailedAttempts();
    private final StepsInFlight steps = new StepsInFlight();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(threads("outside-timer"));
    /** For blocking sends and for the following steps of flows. The places of the lines bound the number of threads. */
    private final ExecutorService executor = Executors.newCachedThreadPool(threads("outside-call"));

    private volatile boolean closed;

    OutsideCalls(CallRules rules) {
        this.rules = rules;
    }

    private static ThreadFactory threads(String name) {
        AtomicInteger count = new AtomicInteger();
        return work -> {
            Thread thread = new Thread(work, name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    ExecutorService executor() {
        return executor;
    }

    ScheduledExecutorService timer() {
        return timer;
    }

    /** Returns the line shared by all calls to a service, of all flows and versions. */
    ServiceLine line(String target) {
        return lines.computeIfAbsent(target, each -> new ServiceLine(each, timer, this::sweep));
    }

    /**
     * The result of a call.
     * @param attempt number of the attempt, from 1
     */
    record Made(CallResult result, int attempt) {}

    /**
     * Makes one attempt of a call.
     * @return completes with the result, on any thread; exceptionally when the hub stops or the store is unavailable
     */
    CompletableFuture<Made> make(Call call, Transport.Request request, Transport transport, ServiceLine line) {
        if (closed) {
            return CompletableFuture.failedFuture(stopping());
        }
        String key = call.idempotencyKey();
        if (key == null) {
            return begin(new CallRun(call, 1, null, request, transport, line, rules, steps, timer))
                    .thenApply(result -> new Made(result, 1));
        }
        String flight = key + " " + call.target();
        CompletableFuture<Made> mine = new CompletableFuture<>();
        CompletableFuture<Made> earlier = inFlight.putIfAbsent(flight, mine);
        if (earlier != null) {
            return earlier;
        }
        FailedAttempts.Failed before = failed.of(flight);
        int attempt = before.attempts() + 1;
        begin(new CallRun(call, attempt, before.last(), request, transport, line, rules, steps, timer))
                .whenComplete((result, failure) -> {
                    count(flight, attempt, result);
                    inFlight.remove(flight);
                    if (failure == null) {
                        mine.complete(new Made(result, attempt));
                    } else {
                        mine.completeExceptionally(failure);
                    }
                });
        return mine;
    }

    private void count(String flight, int attempt, CallResult result) {
        if (result instanceof CallResult.Failed failure) {
            failed.add(flight, attempt, failure.detail());
        } else if (result instanceof CallResult.Answered || result instanceof CallResult.TurnedBack) {
            failed.forget(flight);
        } else if (result instanceof CallResult.Refused refusal) {
            failed.add(flight, attempt, refusal.detail());
        }
    }

    private CompletableFuture<CallResult> begin(CallRun run) {
        runs.add(run);
        run.result().whenComplete((done, failure) -> runs.remove(run));
        run.enter();
        return run.result();
    }

    private void sweep(List<CallRun> waiting) {
        rules.standings(waiting.stream().map(CallRun::call).toList()).thenAccept(standings -> {
            for (int i = 0; i < waiting.size(); i++) {
                waiting.get(i).stillWaits(standings.get(i));
            }
        });
    }

    CallRules rules() {
        return rules;
    }

    static IllegalStateException stopping() {
        return new IllegalStateException("the hub is stopping: the call is made after its next start");
    }

    /** Ends all calls that wait or are in flight. Unfinished calls continue after the next start. */
    @Override
    public void close() {
        closed = true;
        lines.values().forEach(ServiceLine::drain);
        new ArrayList<>(runs).forEach(run -> run.fail(stopping()));
        timer.shutdownNow();
        executor.shutdown();
    }
}
