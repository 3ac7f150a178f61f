package io.caravanserai.flow;

import io.caravanserai.saga.SagaNotRunningException;
import io.caravanserai.saga.SagaStatus;
import io.caravanserai.support.PeriodicTask;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.camel.Exchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds calls to an unavailable target. Makes each call once the target is back, unless the saga of the call has
 * changed state: nothing is sent for an attempt that is over. Thread-safe.
 */
final class AwayCalls implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AwayCalls.class);
    private static final long LOOK_MILLIS = 250;
    /** Number of checks between two reads of the sagas of waiting calls, while the target stays unavailable. */
    private static final int LOOKS_BETWEEN_SAGAS = 8;

    private final Map<String, Supplier<Optional<String>>> trouble;
    private final Function<String, CompletableFuture<Optional<SagaStatus>>> sagaStatus;
    private final Map<String, Queue<Call>> waiting = new ConcurrentHashMap<>();
    private final PeriodicTask passes;
    private int looks;

    /** @param statusThen status of the saga at the time of the call: a call of a compensating saga is a compensation */
    private record Call(
            Optional<String> sagaId,
            Runnable make,
            Consumer<Throwable> fail,
            AtomicReference<Optional<SagaStatus>> statusThen) {}

    AwayCalls(
            Map<String, Supplier<Optional<String>>> trouble,
            Function<String, CompletableFuture<Optional<SagaStatus>>> sagaStatus) {
        this.trouble = Map.copyOf(trouble);
        this.sagaStatus = sagaStatus;
        passes = PeriodicTask.start(
                "away-calls", Duration.ofMillis(LOOK_MILLIS), Duration.ofMillis(LOOK_MILLIS), this::look);
    }

    boolean isAway(String kind) {
        Supplier<Optional<String>> of = trouble.get(kind);
        return of != null && of.get().isPresent();
    }

    /**
     * Holds a call until the target is back.
     * @param make makes the call; must not block
     * @param fail ends the call with a failure instead
     */
    void park(String kind, Exchange exchange, Runnable make, Consumer<Throwable> fail) {
        Optional<String> sagaId =
                Optional.ofNullable(exchange.getMessage().getHeader(Exchange.SAGA_LONG_RUNNING_ACTION, String.class));
        AtomicReference<Optional<SagaStatus>> statusThen = new AtomicReference<>(Optional.empty());
        Call call = new Call(sagaId, make, fail, statusThen);
        sagaId.ifPresent(id -> sagaStatus.apply(id).whenComplete((status, failure) -> {
            if (failure == null) {
                statusThen.set(status);
            }
        }));
        waiting.computeIfAbsent(kind, any -> new ConcurrentLinkedQueue<>()).add(call);
    }

    private void look() {
        looks++;
        waiting.forEach((kind, calls) -> {
            if (!isAway(kind)) {
                for (Call call = calls.poll(); call != null; call = calls.poll()) {
                    goOn(call, call.make());
                }
            } else if (looks % LOOKS_BETWEEN_SAGAS == 0) {
                endThoseOver(calls);
            }
        });
    }

    private void endThoseOver(Queue<Call> calls) {
        for (Iterator<Call> each = calls.iterator(); each.hasNext(); ) {
            Call call = each.next();
            call.sagaId()
                    .ifPresent(id -> sagaStatus.apply(id).thenAccept(status -> {
                        if (isOver(call, status) && calls.remove(call)) {
                            call.fail().accept(new SagaNotRunningException(id, status.orElse(SagaStatus.COMPENSATED)));
                        }
                    }));
        }
    }

    private void goOn(Call call, Runnable make) {
        if (call.sagaId().isEmpty()) {
            make.run();
            return;
        }
        String id = call.sagaId().get();
        sagaStatus.apply(id).whenComplete((status, failure) -> {
            if (failure == null && isOver(call, status)) {
                call.fail().accept(new SagaNotRunningException(id, status.orElse(SagaStatus.COMPENSATED)));
            } else {
                // When the saga cannot be read, the steps check the saga.
                make.run();
            }
        });
    }

    /**
     * Whether the call is over: the saga was running or unknown at the time of the call, and compensates or has ended
     * since.
     */
    private static boolean isOver(Call call, Optional<SagaStatus> now) {
        boolean undoes = call.statusThen()
                .get()
                .filter(then -> then != SagaStatus.RUNNING)
                .isPresent();
        return now.isPresent() && (undoes ? now.get().isEnd() : now.get() != SagaStatus.RUNNING);
    }

    @Override
    public void close() {
        passes.close();
    }
}
