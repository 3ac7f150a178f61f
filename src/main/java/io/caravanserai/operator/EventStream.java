package io.caravanserai.operator;

import io.caravanserai.http.Problem;
import io.caravanserai.http.Response;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.outbox.StoredEvent;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Events as they happen, as server-sent events (WHATWG HTML, section 9.2). Each listener reads the log from where it
 * is, as fast as it takes what it is sent; a slow one costs a place in a list, not memory.
 */
public final class EventStream implements Handler<RoutingContext>, AutoCloseable {
    private static final int BATCH = 200;
    private static final int HEARTBEAT_SECONDS = 15;
    private static final int LOOK_MILLIS = 1_000;
    private static final int GATHER_MILLIS = 20;

    private final EventLog log;
    private final Set<Listener> listeners = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean told = new AtomicBoolean();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "event-stream");
        thread.setDaemon(true);
        return thread;
    });

    public EventStream(EventLog log) {
        this.log = log;
    }

    public EventStream start() {
        timer.scheduleWithFixedDelay(
                () -> listeners.forEach(Listener::advance), LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        timer.scheduleWithFixedDelay(
                () -> listeners.forEach(Listener::beat), HEARTBEAT_SECONDS, HEARTBEAT_SECONDS, TimeUnit.SECONDS);
        return this;
    }

    /** Says that there are new events in the log. Never blocks. */
    public void wake() {
        // Under load one look at the log serves many events.
        if (!listeners.isEmpty() && told.compareAndSet(false, true)) {
            timer.schedule(
                    () -> {
                        told.set(false);
                        listeners.forEach(Listener::advance);
                    },
                    GATHER_MILLIS,
                    TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void handle(RoutingContext request) {
        String last = request.request().getHeader("Last-Event-ID");
        if (last != null && !last.matches("[0-9]{1,18}")) {
            refuse(request);
            return;
        }
        HttpServerResponse response = request.response()
                .setChunked(true)
                .putHeader("Content-Type", "text/event-stream")
                .putHeader("Cache-Control", "no-store")
                .putHeader("X-Accel-Buffering", "no");
        if (last != null) {
            response.write(": from " + last + "\n\n");
            begin(response, Long.parseLong(last));
        } else {
            log.end()
                    .whenComplete((end, error) -> request.vertx().runOnContext(nothing -> {
                        if (error != null) {
                            request.fail(503, error);
                        } else {
                            // Only now is it true that nothing from here on is missed.
                            response.write(": live\n\n");
                            begin(response, end);
                        }
                    }));
        }
    }

    private static void refuse(RoutingContext request) {
        Response problem = Problem.badParameter("Last-Event-ID", "must be the id of an event: a number")
                .response();
        HttpServerResponse response = request.response().setStatusCode(problem.status());
        problem.headers().forEach(response::putHeader);
        response.end(io.vertx.core.buffer.Buffer.buffer(problem.body()));
    }

    private void begin(HttpServerResponse response, long position) {
        Listener listener = new Listener(response, position);
        response.closeHandler(nothing -> listeners.remove(listener));
        response.exceptionHandler(error -> listeners.remove(listener));
        response.drainHandler(nothing -> listener.advance());
        listeners.add(listener);
        listener.advance();
    }

    private final class Listener {
        private final HttpServerResponse response;
        private final AtomicBoolean reading = new AtomicBoolean();
        private volatile boolean again;
        private volatile long position;

        Listener(HttpServerResponse response, long position) {
            this.response = response;
            this.position = position;
        }

        void advance() {
            again = true;
            if (response.closed() || response.writeQueueFull() || !reading.compareAndSet(false, true)) {
                return;
            }
            again = false;
            log.after(position, BATCH).whenComplete((events, error) -> {
                if (error == null && !events.isEmpty()) {
                    send(events);
                }
                reading.set(false);
                if (again || error == null && events.size() == BATCH) {
                    advance();
                }
            });
        }

        private void send(List<StoredEvent> events) {
            StringBuilder text = new StringBuilder();
            for (StoredEvent each : events) {
                text.append("id: ").append(each.sequence()).append('\n');
                text.append("event: ").append(each.event().type()).append('\n');
                text.append("data: ").append(EventEndpoints.json(each)).append("\n\n");
            }
            if (!response.closed()) {
                response.write(text.toString());
            }
            position = events.get(events.size() - 1).sequence();
        }

        void beat() {
            if (!response.closed() && !response.writeQueueFull()) {
                response.write(": \n\n");
            }
        }
    }

    /** How many listen. */
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
