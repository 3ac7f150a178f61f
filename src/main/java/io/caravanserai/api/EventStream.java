package io.caravanserai.api;

import io.caravanserai.http.Problem;
import io.caravanserai.http.Response;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.StoredEvent;
import io.caravanserai.store.SingleFlight;
import io.caravanserai.support.PeriodicTask;
import io.vertx.core.Context;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Live events as server-sent events (WHATWG HTML, section 9.2). Each client reads the log from a position of its own,
 * as fast as the client can receive; clients at the same position share one read. A slow client costs at most one page
 * of memory. The stream closes the connection of a client that has received nothing for a minute; the client can
 * resume. With more clients the stream gathers events for longer, so that the number of writes a second is bounded and
 * clients do not slow orders.
 */
public final class EventStream implements Handler<RoutingContext>, AutoCloseable {
    private static final int BATCH = 200;
    private static final Duration HEARTBEAT = Duration.ofSeconds(15);
    private static final int MOST_BEATS_MISSED = 4;
    private static final int LOOK_MILLIS = 1_000;
    private static final int GATHER_MILLIS = 20;
    /** Added for each client, up to a thousand clients: at most 1,000 writes a second. */
    private static final int GATHER_MILLIS_PER_LISTENER = 1;

    private static final int MAX_GATHER_MILLIS = 1_000;
    /** A page ends at this size. A client that receives nothing holds one page. */
    private static final int MAX_PAGE_CHARS = 64 * 1024;

    private static final int RETRY_AFTER_SECONDS = 10;

    private final EventLog log;
    private final Set<Listener> listeners = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean told = new AtomicBoolean();
    private final Duration heartbeat;
    private final int maxStreams;
    private final AtomicInteger open = new AtomicInteger();
    /** Incremented when new events may exist. A read from before the increment is not shared after the increment. */
    private final AtomicLong news = new AtomicLong();

    private final SingleFlight<Place, Page> beingRead = new SingleFlight<>();
    private final ScheduledExecutorService timer = PeriodicTask.timer("event-stream");

    /** @param maxStreams limit over all clients; one more request is answered with 503 */
    public EventStream(EventLog log, int maxStreams) {
        this(log, maxStreams, HEARTBEAT);
    }

    EventStream(EventLog log, int maxStreams, Duration heartbeat) {
        this.log = log;
        this.maxStreams = maxStreams;
        this.heartbeat = heartbeat;
    }

    private record Place(long position, long news) {}

    /**
     * @param last sequence of the last event in the page
     * @param more whether the log may have further events
     */
    private record Page(int events, Buffer text, long last, boolean more) {}

    public EventStream start() {
        timer.scheduleWithFixedDelay(
                PeriodicTask.surviving("event-stream", this::advance), LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        timer.scheduleWithFixedDelay(
                PeriodicTask.surviving("event-stream-heartbeat", () -> listeners.forEach(Listener::beat)),
                heartbeat.toMillis(),
                heartbeat.toMillis(),
                TimeUnit.MILLISECONDS);
        return this;
    }

    private void advance() {
        news.incrementAndGet();
        listeners.forEach(Listener::advance);
    }

    private CompletableFuture<Page> after(long position) {
        return beingRead.get(
                new Place(position, news.get()),
                () -> log.after(position, BATCH).thenApply(EventStream::page));
    }

    private static Page page(List<StoredEvent> events) {
        StringBuilder text = new StringBuilder();
        int count = 0;
        while (count < events.size() && text.length() < MAX_PAGE_CHARS) {
            StoredEvent each = events.get(count++);
            text.append("id: ").append(each.sequence()).append('\n');
            text.append("event: ").append(each.event().type()).append('\n');
            text.append("data: ").append(EventEndpoints.json(each)).append("\n\n");
        }
        return new Page(
                count,
                Buffer.buffer(text.toString()),
                count == 0 ? 0 : events.get(count - 1).sequence(),
                count < events.size() || count == BATCH);
    }

    /** Call when the log has new events. Never blocks. */
    public void wake() {
        // Under load one read of the log serves many events.
        if (!listeners.isEmpty() && told.compareAndSet(false, true)) {
            timer.schedule(
                    () -> {
                        told.set(false);
                        advance();
                    },
                    gatherMillis(listeners.size()),
                    TimeUnit.MILLISECONDS);
        }
    }

    static long gatherMillis(int listeners) {
        return Math.min(MAX_GATHER_MILLIS, GATHER_MILLIS + GATHER_MILLIS_PER_LISTENER * listeners);
    }

    @Override
    public void handle(RoutingContext request) {
        if (request.request().method() == HttpMethod.HEAD) {
            // HEAD gets the headers and no stream.
            request.response().putHeader("Content-Type", "text/event-stream").end();
            return;
        }
        String last = request.request().getHeader("Last-Event-ID");
        if (last != null && !last.matches("[0-9]{1,18}")) {
            refuse(
                    request,
                    Problem.badParameter("Last-Event-ID", "must be the id of an event: a number")
                            .response());
            return;
        }
        if (open.incrementAndGet() > maxStreams) {
            open.decrementAndGet();
            refuse(
                    request,
                    Problem.of(503, "there are " + maxStreams + " event streams already (hub.http.streams)")
                            .response()
                            .with("Retry-After", String.valueOf(RETRY_AFTER_SECONDS)));
            return;
        }
        request.addEndHandler(end -> open.decrementAndGet());
        HttpServerResponse response = request.response()
                .setChunked(true)
                .putHeader("Content-Type", "text/event-stream")
                .putHeader("Cache-Control", "no-store")
                .putHeader("X-Accel-Buffering", "no");
        log.end()
                .whenComplete((end, error) -> request.vertx().runOnContext(nothing -> {
                    if (error != null) {
                        refuse(
                                request,
                                Problem.of(503, "the event log cannot be read")
                                        .response()
                                        .with("Retry-After", "1"));
                    } else if (last == null || Long.parseLong(last) > end) {
                        // An id above the end belongs to another log and cannot be resumed. The comment line goes out
                        // only here: from this position on the client misses no event.
                        response.write(": live\n\n");
                        begin(request, response, end);
                    } else {
                        response.write(": from " + last + "\n\n");
                        begin(request, response, Long.parseLong(last));
                    }
                }));
    }

    private static void refuse(RoutingContext request, Response problem) {
        HttpServerResponse response = request.response().setChunked(false).setStatusCode(problem.status());
        problem.headers().forEach(response::putHeader);
        response.end(Buffer.buffer(problem.body()));
    }

    private void begin(RoutingContext request, HttpServerResponse response, long position) {
        Listener listener = new Listener(
                request.vertx().getOrCreateContext(), request.request().connection(), response, position);
        response.closeHandler(nothing -> listeners.remove(listener));
        response.exceptionHandler(error -> listeners.remove(listener));
        response.drainHandler(nothing -> listener.drained());
        listeners.add(listener);
        listener.advance();
    }

    private final class Listener {
        private final Context context;
        private final HttpConnection connection;
        private final HttpServerResponse response;
        private final AtomicBoolean reading = new AtomicBoolean();
        private volatile boolean again;
        private volatile long position;
        private volatile int beatsMissed;

        /** @param context the event loop of the connection */
        Listener(Context context, HttpConnection connection, HttpServerResponse response, long position) {
            this.context = context;
            this.connection = connection;
            this.response = response;
            this.position = position;
        }

        void advance() {
            again = true;
            if (response.closed() || response.writeQueueFull() || !reading.compareAndSet(false, true)) {
                return;
            }
            again = false;
            // Leaves the thread of the store: with many clients that thread would do nothing but write.
            after(position)
                    .whenComplete((page, error) -> context.runOnContext(now -> {
                        if (error == null && page.events() > 0) {
                            send(page);
                        }
                        reading.set(false);
                        if (again || error == null && page.more()) {
                            advance();
                        }
                    }));
        }

        private void send(Page page) {
            if (!response.closed()) {
                response.write(page.text());
            }
            position = page.last();
        }

        void drained() {
            beatsMissed = 0;
            advance();
        }

        void beat() {
            if (response.closed()) {
                listeners.remove(this);
            } else if (!response.writeQueueFull()) {
                response.write(": \n\n");
            } else if (++beatsMissed >= MOST_BEATS_MISSED) {
                cutOff();
            }
        }

        /** Bypasses Vert.x, which would wait until the client has received all bytes. */
        private void cutOff() {
            ((ConnectionBase) connection).channel().pipeline().firstContext().close();
        }
    }

    /** Number of connected clients. */
    public int listeners() {
        return listeners.size();
    }

    @Override
    public void close() {
        timer.shutdownNow();
        listeners.forEach(listener -> Optional.of(listener.response)
                .filter(response -> !response.closed())
                .ifPresent(HttpServerResponse::end));
    }
}
