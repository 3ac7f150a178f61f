package io.caravanserai.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.deadletter.ChangeRefusedException;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.deadletter.LetterChange;
import io.caravanserai.deadletter.Replays;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.http.Cursor;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.order.OrderJson;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** REST resource for dead letters: list, replay and delete. */
public final class DeadLetterEndpoints implements HttpEndpoints {
    private static final BigDecimal USUAL_RATE = BigDecimal.valueOf(50);
    private static final int USUAL_FAILURES = 5;

    /** How long the request with a changed dead letter waits for the result. */
    private static final int CHANGED_SECONDS = 10;

    private final DeadLetters letters;
    private final Replays replays;

    public DeadLetterEndpoints(DeadLetters letters, Replays replays) {
        this.letters = letters;
        this.replays = replays;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/dead-letters", Permission.READ, this::list).query("source", "reason", "type", "limit", "cursor");
        routes.get("/dead-letters/{id}", Permission.READ, this::get);
        routes.delete("/dead-letters/{id}", Permission.OPERATE, this::delete);
        routes.post("/dead-letters/{id}/replay", Permission.OPERATE, this::replay)
                .consumingOptionally(Response.JSON);
        routes.post("/dead-letters/replay", Permission.OPERATE, this::replayMany)
                .consuming(Response.JSON);
        routes.get("/dead-letters/replays/{id}", Permission.READ, this::progress);
    }

    private CompletionStage<Response> list(Request request) {
        DeadLetters.Filter filter = new DeadLetters.Filter(
                request.query("source").orElse(null),
                request.query("reason").orElse(null),
                request.query("type").orElse(null));
        return letters.page(filter, Cursor.of("dead-letters", request).orElse(null), request.limit())
                .thenApply(page -> Response.page(Cursor.page(
                        "dead-letters", page.letters(), page.more(), DeadLetter::id, DeadLetterEndpoints::json)));
    }

    private CompletionStage<Response> get(Request request) {
        return letters.get(request.path("id"))
                .thenApply(letter -> letter.map(found -> Response.json(200, json(found)))
                        .orElseThrow(DeadLetterEndpoints::noSuchLetter));
    }

    private CompletionStage<Response> delete(Request request) {
        return letters.delete(request.path("id")).thenApply(deleted -> {
            if (!deleted) {
                throw noSuchLetter();
            }
            return Response.noContent();
        });
    }

    private CompletionStage<Response> replay(Request request) {
        String id = request.path("id");
        LetterChange change = request.body().length == 0
                ? new LetterChange(Optional.empty(), Map.of())
                : LetterChangeReader.read(request.object("body", "headers"));
        return change.isEmpty()
                ? letters.replay(id)
                        .thenCompose(handled -> letters.get(id))
                        .thenApply(letter -> letter.map(found -> Response.json(200, json(found)))
                                .orElseThrow(DeadLetterEndpoints::noSuchLetter))
                : replayChanged(id, change);
    }

    /**
     * Answers 200 when the changed dead letter was handled or has failed again; 202 when the dead letter is not sent
     * yet, for example without a broker.
     */
    private CompletionStage<Response> replayChanged(String id, LetterChange change) {
        CompletableFuture<Boolean> ended = new CompletableFuture<>();
        return replays.replayChanged(id, change, () -> ended.complete(true))
                .exceptionally(failure -> {
                    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
                    throw cause instanceof ChangeRefusedException refused
                            ? refused(refused).asException()
                            : new CompletionException(cause);
                })
                .thenCompose(begun -> {
                    Replays.Changed changed = begun.orElseThrow(DeadLetterEndpoints::noSuchLetter);
                    return ended.completeOnTimeout(false, CHANGED_SECONDS, TimeUnit.SECONDS)
                            .thenCompose(isEnded -> letters.get(id)
                                    .thenApply(letter -> changed(
                                            isEnded, changed, letter.orElseThrow(DeadLetterEndpoints::noSuchLetter))));
                });
    }

    private static Problem refused(ChangeRefusedException refused) {
        return refused.header()
                .map(name -> Problem.invalid(
                        List.of(new Problem.Fault(LetterChangeReader.pointer(name), refused.getMessage()))))
                .orElseGet(() -> Problem.of(409, refused.getMessage()));
    }

    private static Response changed(boolean isEnded, Replays.Changed changed, DeadLetter letter) {
        return Response.json(isEnded ? 200 : 202, json(letter).put("originalId", changed.originalId()))
                .with("Location", "/dead-letters/replays/" + changed.replayId());
    }

    /** The body of {@code POST /dead-letters/replay}. */
    record ReplayMany(Selection filter, BigDecimal rate, Integer stopAfterFailures) {
        record Selection(String source, String reason, String type, List<String> ids) {}
    }

    private CompletionStage<Response> replayMany(Request request) {
        ReplayMany asked = request.json(ReplayMany.class);
        BigDecimal rate = asked.rate() == null ? USUAL_RATE : asked.rate();
        int failures = asked.stopAfterFailures() == null ? USUAL_FAILURES : asked.stopAfterFailures();
        List<Problem.Fault> faults = new ArrayList<>();
        if (rate.compareTo(new BigDecimal("0.01")) < 0 || rate.compareTo(BigDecimal.valueOf(100_000)) > 0) {
            faults.add(new Problem.Fault("#/rate", "must be from 0.01 to 100000 letters a second"));
        }
        if (failures < 1) {
            faults.add(new Problem.Fault("#/stopAfterFailures", "must be at least 1"));
        }
        ReplayMany.Selection selection =
                asked.filter() == null ? new ReplayMany.Selection(null, null, null, null) : asked.filter();
        if (selection.ids() != null && selection.ids().contains(null)) {
            faults.add(new Problem.Fault("#/filter/ids/" + selection.ids().indexOf(null), "must be a string"));
        }
        if (!faults.isEmpty()) {
            throw Problem.invalid(faults).asException();
        }
        return replays.begin(new Replays.Request(
                        new DeadLetters.Filter(selection.source(), selection.reason(), selection.type()),
                        selection.ids(),
                        rate,
                        failures))
                .thenApply(begun -> Response.json(
                                202,
                                OrderJson.MAPPER
                                        .createObjectNode()
                                        .put("replayId", begun.id())
                                        .put("selected", begun.selected()))
                        .with("Location", "/dead-letters/replays/" + begun.id()));
    }

    private CompletionStage<Response> progress(Request request) {
        return replays.progress(request.path("id"))
                .thenApply(progress -> progress.map(found -> Response.json(200, json(found)))
                        .orElseThrow(() -> Problem.notFound("replay").asException()));
    }

    private static RuntimeException noSuchLetter() {
        return Problem.notFound("dead letter").asException();
    }

    private static ObjectNode json(DeadLetter letter) {
        ObjectNode json = OrderJson.MAPPER
                .createObjectNode()
                .put("id", letter.id())
                .put("source", letter.source())
                .put("channel", letter.channel());
        letter.type().ifPresent(type -> json.put("type", type));
        json.put("reason", letter.reason())
                .put("error", letter.error())
                .put("receivedAt", CloudEvent.time(letter.receivedAt()))
                .set("headers", OrderJson.MAPPER.valueToTree(letter.headers()));
        json.put("body", letter.body());
        if (letter.base64()) {
            json.put("encoding", "base64");
        }
        json.put("replays", letter.replays());
        letter.settledAt().ifPresent(settled -> json.put("settledAt", CloudEvent.time(settled)));
        return json;
    }

    private static ObjectNode json(Replays.Progress progress) {
        ObjectNode json = OrderJson.MAPPER
                .createObjectNode()
                .put("replayId", progress.replayId())
                .put("status", progress.status())
                .put("selected", progress.selected())
                .put("replayed", progress.replayed())
                .put("failed", progress.failed())
                .put("gone", progress.gone())
                .put("remaining", progress.remaining())
                .put("begunAt", CloudEvent.time(progress.begunAt()));
        progress.endedAt().map(CloudEvent::time).ifPresent(ended -> json.put("endedAt", ended));
        return json;
    }
}
