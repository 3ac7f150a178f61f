package io.caravanserai.process;

import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.outside.Call;
import io.caravanserai.outside.CallResult;
import io.caravanserai.outside.CallRules;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.saga.SagaRecord;
import io.caravanserai.saga.SagaStatus;
import io.caravanserai.service.RetriesExhausted;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Connects calls to outside services with orders: checks whether the order allows the call, and records attempts in the
 * order history.
 */
public record OrderCalls(
        Store store, Orders orders, DurableSagaService sagas, StepLog stepLog, RetriesExhausted failures)
        implements CallRules {

    @Override
    public CompletableFuture<List<Standing>> standings(List<Call> calls) {
        return store.read(tx -> {
            List<Standing> standings = new ArrayList<>();
            for (Call call : calls) {
                standings.add(standing(tx, call));
            }
            return standings;
        });
    }

    @Override
    public CompletableFuture<Standing> begin(Call call, int attempt, String lastFailure) {
        if (attempt == 1 || !call.isInHistory()) {
            return store.read(tx -> standing(tx, call));
        }
        return store.write("call-again", call.orderId(), tx -> {
            Standing standing = standing(tx, call);
            if (call.isUndo()) {
                stepLog.compensationRetrying(tx, call.orderId(), call.step().compensation(), attempt - 1, lastFailure);
            } else if (standing == Standing.FORWARD) {
                stepLog.retrying(tx, call.orderId(), call.step().name(), attempt - 1, lastFailure);
            }
            return standing;
        });
    }

    private Standing standing(Transaction tx, Call call) throws SQLException {
        Optional<Orders.Standing> order =
                call.orderId() == null ? Optional.empty() : orders.standingOf(tx, call.orderId());
        if (order.isPresent() && order.get().reason() != null) {
            return Standing.TURNED_BACK;
        }
        Optional<SagaStatus> saga = call.sagaId() == null
                ? Optional.empty()
                : sagas.log().find(tx, call.sagaId()).map(SagaRecord::state).map(state -> state.status());
        if (saga.isPresent() && saga.get() != SagaStatus.RUNNING && saga.get() != SagaStatus.COMPLETED) {
            return Standing.TURNED_BACK;
        }
        return order.isPresent() || saga.isPresent() ? Standing.FORWARD : Standing.UNKNOWN;
    }

    @Override
    public CompletableFuture<Void> done(Call call, int attempt) {
        if (!call.isUndo() && call.step().step().isPresent()) {
            // The event of the step records the call.
            return CompletableFuture.completedFuture(null);
        }
        return store.write("call-done", call.orderId(), tx -> {
            if (call.isUndo()) {
                stepLog.compensated(tx, call.orderId(), call.step().compensation(), attempt);
            } else {
                stepLog.done(tx, call.orderId(), call.step().name(), attempt);
            }
            return null;
        });
    }

    @Override
    public CompletableFuture<Reason> refused(Call call, int attempt, CallResult.Refused refusal) {
        Reason reason = refusal.byDecision()
                ? call.step().step().map(OrderCalls::refusal).orElse(Reason.SERVICE_UNAVAILABLE)
                : Reason.FLOW_ERROR;
        if (!call.isInHistory()) {
            return CompletableFuture.completedFuture(reason);
        }
        return store.write("call-refused", call.orderId(), tx -> {
            if (call.step().step().isPresent()) {
                stepLog.failed(tx, call.orderId(), call.step().name(), attempt, refusal.detail());
            }
            failures.record(tx, call.orderId(), call.step(), reason, attempt, refusal.detail(), call.eventId());
            return reason;
        });
    }

    private static Reason refusal(Step step) {
        return switch (step) {
            case CREATE_ORDER -> Reason.SERVICE_UNAVAILABLE;
            case RESERVE_ITEMS -> Reason.OUT_OF_STOCK;
            case PROCESS_PAYMENT -> Reason.PAYMENT_DECLINED;
            case SHIP_ORDER -> Reason.SHIPPING_REFUSED;
        };
    }
}
