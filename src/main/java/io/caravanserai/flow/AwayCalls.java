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
 * Calls that wait for a target that is away. Each is made once the target is back, unless its saga has turned meanwhile:
 * nothing is sent for an attempt that is over. Thread-safe.
 */
final class AwayCalls implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AwayCalls.class);
    private static final long LOOK_MILLIS = 250;
    /** How often the sagas of waiting calls are looked at while the target stays away. */
    private static final int LOOKS_BETWEEN_SAGAS = 8;

    private final Map<String, Supplier<Optional<String>>> trouble;
    private final Function<String, CompletableFuture<Optional<SagaStatus>>> sagaStatus;
    private final Map<String, Queue<Call>> waiting = new ConcurrentHashMap<>();
    private final PeriodicTask passes;
    private int looks;

    /** @param statusThen the status of the saga when the call came: the calls of a saga that had turned undo something */
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
     * Keeps a call until its target is back.
     *
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
                // A saga that cannot be read now fences its steps itself.
                make.run();
            }
        });
    }

    /** A saga that was running, or had not begun, when its call came, and has turned or ended since. */
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
