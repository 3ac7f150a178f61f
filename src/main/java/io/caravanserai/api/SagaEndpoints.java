package io.caravanserai.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.http.Cursor;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Problem;
import io.caravanserai.http.Problem.Fault;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.saga.OperatorAct;
import io.caravanserai.saga.SagaRecord;
import io.caravanserai.saga.SagaStatus;
import io.caravanserai.saga.SagaStep;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** REST resource for the saga log, with the operator actions on a stuck saga. */
public final class SagaEndpoints implements HttpEndpoints {
    private static final int LONGEST_REASON = 400;

    private final Store store;
    private final DurableSagaService sagas;
    private final Orders orders;
    private final UnaryOperator<Instant> deadlines;

    /** @param deadlines converts a deadline to the time of the system clock */
    public SagaEndpoints(Store store, DurableSagaService sagas, Orders orders, UnaryOperator<Instant> deadlines) {
        this.deadlines = deadlines;
        this.store = store;
        this.sagas = sagas;
        this.orders = orders;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/sagas", Permission.READ, this::list).query("status", "limit", "cursor");
        routes.get("/sagas/{id}", Permission.READ, request -> answer(request.path("id"), 200));
        routes.post(
                        "/sagas/{id}/retry",
                        Permission.OPERATE,
                        request -> act(request, 202, OperatorAct.Kind.RETRY, sagas::retry))
                .consumingOptionally(Response.JSON);
        routes.post(
                        "/sagas/{id}/compensate",
                        Permission.OPERATE,
                        request -> act(request, 202, OperatorAct.Kind.COMPENSATE, sagas::compensateAgain))
                .consumingOptionally(Response.JSON);
        routes.post("/sagas/{id}/resolve", Permission.OPERATE, request -> {
                    if (reason(request).isEmpty()) {
                        throw Problem.invalid(List.of(new Fault("#/reason", "is required")))
                                .asException();
                    }
                    return act(request, 200, OperatorAct.Kind.RESOLVE, sagas::resolve);
                })
                .consuming(Response.JSON);
    }

    private CompletionStage<Response> list(Request request) {
        int limit = request.limit();
        SagaStatus status = request.query("status").map(SagaEndpoints::status).orElse(null);
        String before = Cursor.of("sagas", request).orElse(null);
        return store.list(tx -> {
                    List<SagaRecord> found = sagas.log().list(tx, status, before, limit + 1);
                    List<SagaDocument> documents = new ArrayList<>();
                    for (SagaRecord saga : found) {
                        documents.add(SagaDocument.of(saga, deadline(saga), orderId(tx, saga.sagaId()), null));
                    }
                    return documents;
                })
                .thenApply(
                        found -> Response.page(Cursor.page("sagas", found, limit, SagaDocument::sagaId, saga -> saga)));
    }

    private Instant deadline(SagaRecord saga) {
        return saga.endedAt() == null ? deadlines.apply(saga.deadline()) : saga.deadline();
    }

    private CompletionStage<Response> answer(String sagaId, int status) {
        return store.read(tx -> {
                    Optional<SagaRecord> saga = sagas.log().find(tx, sagaId);
                    if (saga.isEmpty()) {
                        throw Problem.notFound("saga").asException();
                    }
                    List<SagaStep> steps = sagas.log().steps(tx, sagaId);
                    return SagaDocument.of(saga.get(), deadline(saga.get()), orderId(tx, sagaId), steps);
                })
                .thenApply(document -> Response.json(status, document));
    }

    private String orderId(Transaction tx, String sagaId) throws SQLException {
        return orders.orderOfSaga(tx, sagaId).orElse(null);
    }

    /** Performs an operator action. */
    @FunctionalInterface
    private interface Work {
        CompletableFuture<Optional<SagaStatus>> on(String sagaId, OperatorAct act);
    }

    private CompletionStage<Response> act(Request request, int status, OperatorAct.Kind kind, Work work) {
        String sagaId = request.path("id");
        OperatorAct act = new OperatorAct(
                kind, request.keyName().orElse(null), reason(request).orElse(null));
        return store.read(tx -> sagas.log().find(tx, sagaId))
                .thenCompose(saga -> {
                    if (saga.isEmpty()) {
                        throw Problem.notFound("saga").asException();
                    }
                    SagaStatus now = saga.get().state().status();
                    if (now != SagaStatus.STUCK) {
                        throw Problem.of(409, "the saga is not STUCK but " + now)
                                .with("sagaId", sagaId)
                                .with("sagaStatus", now)
                                .asException();
                    }
                    return work.on(sagaId, act);
                })
                .thenCompose(done -> answer(sagaId, status));
    }

    private static Optional<String> reason(Request request) {
        if (request.body().length == 0) {
            return Optional.empty();
        }
        JsonNode reason = request.object("reason").path("reason");
        if (reason.isMissingNode()) {
            return Optional.empty();
        }
        if (!reason.isTextual()
                || reason.textValue().isBlank()
                || reason.textValue().length() > LONGEST_REASON) {
            throw Problem.invalid(
                            List.of(new Fault("#/reason", "must be a text of 1 to " + LONGEST_REASON + " characters")))
                    .asException();
        }
        return Optional.of(reason.textValue());
    }

    private static SagaStatus status(String name) {
        String names = Arrays.stream(SagaStatus.values()).map(Enum::name).collect(Collectors.joining(", "));
        return Arrays.stream(SagaStatus.values())
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> Problem.badParameter("status", "must be one of " + names)
                        .asException());
    }
}
