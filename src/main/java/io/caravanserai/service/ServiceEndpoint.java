package io.caravanserai.service;

import io.caravanserai.order.Step;
import io.caravanserai.service.OrderLookup.Known;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.support.AsyncProcessorSupport;

/**
 * The endpoint of an action or a compensation. Reads the order id from the header {@code orderId}, runs the work in one
 * unit, and answers once the unit is durable. The body stays unchanged. Blocks no thread.
 */
public final class ServiceEndpoint extends AsyncProcessorSupport {

    /** Header with the id of the order. */
    public static final String ORDER_ID = "orderId";
    /** Header with the id of the event or message that caused this message; may be absent. */
    public static final String CAUSATION_ID = "causationId";

    private final Store store;
    private final OrderLookup orders;
    private final Step step;
    private final String name;
    private final StepWork work;
    private final WorkListener listener;

    /**
     * @param orderId from the header; null when absent
     * @param sagaId of the calling saga; null for a call outside a saga
     */
    private record Request(String orderId, String sagaId, String causation) {}

    /** @param name of the action or compensation, as in {@link Step} */
    public ServiceEndpoint(
            Store store, OrderLookup orders, Step step, String name, StepWork work, WorkListener listener) {
        this.listener = listener;
        this.store = store;
        this.orders = orders;
        this.step = step;
        this.name = name;
        this.work = work;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        String orderId = exchange.getMessage().getHeader(ORDER_ID, String.class);
        String causation = exchange.getMessage().getHeader(CAUSATION_ID, String.class);
        String sagaId = exchange.getMessage().getHeader(Exchange.SAGA_LONG_RUNNING_ACTION, String.class);
        if (orderId == null && (sagaId == null || !isCompensation())) {
            exchange.setException(new IllegalArgumentException(name + " needs the header " + ORDER_ID));
            callback.done(true);
            return true;
        }
        long began = System.nanoTime();
        AtomicBoolean inSaga = new AtomicBoolean();
        run(new Request(orderId, sagaId, causation), inSaga).whenComplete((outcome, failure) -> {
            if (failure != null) {
                exchange.setException(failure instanceof CompletionException ? failure.getCause() : failure);
            } else {
                fail(exchange, outcome);
            }
            Duration took = Duration.ofNanos(System.nanoTime() - began);
            try {
                tell(outcome, failure, inSaga.get(), took);
            } finally {
                callback.done(false);
            }
        });
        return false;
    }

    private void tell(StepOutcome outcome, Throwable failure, boolean inSaga, Duration took) {
        String ended = failure != null ? "failed" : outcome.label();
        if (!isCompensation()) {
            listener.stepEnded(step.action(), ended, took);
        } else if (!inSaga) {
            listener.compensationEnded(name, ended, took);
        }
    }

    private CompletableFuture<StepOutcome> run(Request request, AtomicBoolean inSaga) {
        return runOnce(request, inSaga).thenCompose(outcome -> {
            if (outcome instanceof StepOutcome.Later later) {
                Executor afterwards =
                        CompletableFuture.delayedExecutor(later.pause().toMillis(), TimeUnit.MILLISECONDS);
                return CompletableFuture.supplyAsync(() -> null, afterwards).thenCompose(now -> run(request, inSaga));
            }
            return CompletableFuture.completedFuture(outcome);
        });
    }

    private CompletableFuture<StepOutcome> runOnce(Request request, AtomicBoolean inSaga) {
        return store.write(name, request.orderId() == null ? request.sagaId() : request.orderId(), tx -> {
            String orderId = orderToServe(tx, request);
            Known order = orders.find(tx, orderId)
                    .orElseThrow(() -> new IllegalArgumentException("no order " + orderId + " is known"));
            inSaga.set(order.context().sagaId() != null);
            return work.run(tx, order.order(), order.context().causedBy(request.causation()));
        });
    }

    /**
     * A compensation undoes the step for the order of the saga and ignores another order id in the option
     * {@code orderId} of the flow. A wrong option would refund another order and leave the right order unrefunded.
     */
    private String orderToServe(Transaction tx, Request request) throws SQLException {
        if (request.sagaId() == null || !isCompensation()) {
            return request.orderId();
        }
        return orders.orderOfSaga(tx, request.sagaId())
                .or(() -> Optional.ofNullable(request.orderId()))
                .orElseThrow(() -> new IllegalArgumentException(name + " needs the header " + ORDER_ID));
    }

    private boolean isCompensation() {
        return step.compensation().filter(name::equals).isPresent();
    }

    private void fail(Exchange exchange, StepOutcome outcome) {
        if (outcome instanceof StepOutcome.Refused refused) {
            exchange.setException(new StepRefusedException(refused.reason()));
        } else if (outcome instanceof StepOutcome.Unavailable unavailable) {
            exchange.setException(
                    new ServiceUnavailableException(StepName.of(step), unavailable.attempt(), unavailable.detail()));
        }
    }
}
