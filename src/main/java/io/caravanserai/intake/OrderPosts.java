package io.caravanserai.intake;

import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.process.OrderIntake;
import io.caravanserai.process.SubmitOrder;
import io.caravanserai.process.SubmitResult;
import io.caravanserai.service.order.OrderHistory;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * {@code POST /orders}: answers when the order has ended, or after the wait with the current state.
 * <p>With an idempotency key the answer is stored before the response is sent. When the process dies before, a repeated
 * request is answered from the order. The answer stored first is the answer to all requests with the key.
 */
final class OrderPosts {
    /** Additional time after the due time in which another process may still store the answer. */
    private static final Duration GRACE = Duration.ofSeconds(5);

    private final OrderReader reader;
    private final OrderIntake entry;
    private final Store store;
    private final Orders orders;
    private final OrderHistory history;
    private final IdempotencyKeys keys;
    private final Clock clock;
    private final OrderStyle usualStyle;
    private final Duration usualWait;
    private final String owner;
    private final boolean alone;
    /** Keys of the requests that this process is answering. */
    private final Set<String> inFlight = ConcurrentHashMap.newKeySet();

    OrderPosts(OrderSubmissions door, OrderReader reader) {
        this.reader = reader;
        this.entry = door.entry();
        this.store = door.store();
        this.orders = door.orders();
        this.history = door.history();
        this.keys = door.keys();
        this.clock = door.clock();
        this.usualStyle = door.usualStyle();
        this.usualWait = door.usualWait();
        this.owner = door.owner();
        this.alone = door.alone();
    }

    CompletionStage<Response> post(Request request) {
        OrderStyle style = style(request);
        Optional<String> key = IdempotencyKey.of(request);
        PreferHeader preference = PreferHeader.of(request, usualWait);
        ParseResult reading = reader.read(request.body());
        if (reading instanceof ParseResult.Unreadable unreadable) {
            throw Problem.of(400, unreadable.detail()).asException();
        }
        if (reading instanceof ParseResult.Invalid invalid) {
            throw Problem.invalid(invalid.faults()).asException();
        }
        SubmitOrder sending = new SubmitOrder(
                ((ParseResult.Valid) reading).order(),
                request.body(),
                style,
                key,
                Optional.empty(),
                request.header("traceparent"),
                preference.answerWithin(),
                "rest");
        if (key.isEmpty()) {
            return entry.submit(sending).thenCompose(submission -> answer(submission, preference));
        }
        return once(key.get(), sending, preference);
    }

    private OrderStyle style(Request request) {
        return request.query("style")
                .map(name -> entry.style(name)
                        .orElseThrow(() -> Problem.badParameter("style", "must be one of " + entry.styleNames())
                                .asException()))
                .orElse(usualStyle);
    }

    private CompletionStage<Response> once(String key, SubmitOrder sending, PreferHeader preference) {
        boolean first = inFlight.add(key);
        CompletableFuture<Response> answer = entry.submit(sending).thenCompose(submission -> {
            if (submission instanceof SubmitResult.Repeated repeated) {
                return repeat(key, repeated.first(), preference, first);
            }
            CompletionStage<Response> made = answer(submission, preference);
            if (submission instanceof SubmitResult.OtherOrder) {
                return made.thenCompose(response -> keepRefusal(key, sending, response));
            }
            return isKept(submission)
                    ? made.thenCompose(response -> keep(key, orderId(submission), response, false))
                    : made;
        });
        return first ? answer.whenComplete((response, failure) -> inFlight.remove(key)) : answer;
    }

    private static boolean isKept(SubmitResult submission) {
        return submission instanceof SubmitResult.Accepted || submission instanceof SubmitResult.Known;
    }

    private static String orderId(SubmitResult submission) {
        return submission instanceof SubmitResult.Accepted accepted
                ? accepted.orderId()
                : ((SubmitResult.Known) submission).orderId();
    }

    /** @param first whether no other request with the key is in flight in this process */
    private CompletionStage<Response> repeat(
            String key, IdempotencyKeys.Entry known, PreferHeader preference, boolean first) {
        if (known.answer().isPresent()) {
            return CompletableFuture.completedFuture(
                    StoredAnswer.replay(known.answer().get()));
        }
        Instant atTheLatest = known.dueAt().plus(GRACE);
        boolean elsewhere =
                !alone && !known.owner().equals(owner) && clock.instant().isBefore(atTheLatest);
        if (!first || elsewhere) {
            return CompletableFuture.completedFuture(stillRunning());
        }
        // The process of the first request has died, or a message used the key: no other process will answer.
        return orderEnded(known.orderId(), entry.ended(known.orderId()), preference)
                .thenCompose(response -> keep(key, known.orderId(), response, true));
    }

    private static Response stillRunning() {
        return Problem.of(409, "the first request with this idempotency key is still running")
                .response()
                .with("Retry-After", "1");
    }

    /** Stores an answer; returns the answer stored first. */
    private CompletionStage<Response> keep(String key, String orderId, Response response, boolean replayed) {
        return store.write("keep-answer", orderId, tx -> {
                    boolean kept = keys.answer(tx, key, orderId, StoredAnswer.text(response));
                    return kept ? Optional.<IdempotencyKeys.Entry>empty() : keys.find(tx, key);
                })
                .thenApply(earlier -> earlier.flatMap(IdempotencyKeys.Entry::answer)
                        .map(StoredAnswer::replay)
                        .orElse(replayed ? response.with("Idempotency-Replayed", "true") : response));
    }

    /** Nothing was done, so the key is free. The key is claimed together with the answer. */
    private CompletionStage<Response> keepRefusal(String key, SubmitOrder sending, Response response) {
        return store.write("keep-answer", sending.order().orderId(), tx -> {
            if (keys.claim(tx, key, sending.fingerprint(), IdempotencyKeys.NO_ORDER, owner, clock.instant())) {
                keys.answer(tx, key, IdempotencyKeys.NO_ORDER, StoredAnswer.text(response));
            }
            return response;
        });
    }

    private CompletionStage<Response> answer(SubmitResult submission, PreferHeader preference) {
        if (submission instanceof SubmitResult.Accepted accepted) {
            CompletableFuture<Void> ended = accepted.ended().orElseGet(() -> CompletableFuture.completedFuture(null));
            return orderEnded(accepted.orderId(), ended, preference);
        }
        if (submission instanceof SubmitResult.Known known) {
            return document(known.orderId()).thenApply(order -> located(known.orderId(), Response.json(200, order)));
        }
        if (submission instanceof SubmitResult.OtherOrder other) {
            Problem problem = Problem.of(409, "another order has this id")
                    .with("orderId", other.orderId())
                    .with("reason", "order-exists");
            return CompletableFuture.completedFuture(located(other.orderId(), problem.response()));
        }
        if (submission instanceof SubmitResult.NoFlow none) {
            return CompletableFuture.completedFuture(
                    Problem.of(503, "no flow for the style " + none.style().wire() + " runs")
                            .response());
        }
        return CompletableFuture.completedFuture(Problem.of(422, "this idempotency key was used with another request")
                .response());
    }

    private CompletionStage<Response> orderEnded(
            String orderId, CompletableFuture<Void> ended, PreferHeader preference) {
        return ended.completeOnTimeout(null, preference.answerWithin().toMillis(), TimeUnit.MILLISECONDS)
                .thenCompose(now -> document(orderId))
                .thenApply(order -> located(orderId, answer(order, preference)));
    }

    private static Response answer(OrderDocument order, PreferHeader preference) {
        Response response =
                switch (order.status()) {
                    case SHIPPED -> Response.json(201, order);
                    case CANCELLED -> order.cancelled().response();
                    default -> Response.json(202, order);
                };
        return preference
                .applied()
                .map(applied -> response.with("Preference-Applied", applied))
                .orElse(response);
    }

    private static Response located(String orderId, Response response) {
        return response.with("Location", "/orders/" + URLEncoder.encode(orderId, StandardCharsets.UTF_8));
    }

    private CompletableFuture<OrderDocument> document(String orderId) {
        return store.read(tx -> OrderDocument.read(tx, orders, history, orderId).orElseThrow());
    }
}
