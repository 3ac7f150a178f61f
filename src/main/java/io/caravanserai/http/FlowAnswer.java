package io.caravanserai.http;

import io.caravanserai.store.StoreUnavailableException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.support.DefaultMessage;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/**
 * Runs a route and turns a failure into problem details. Camel would answer with an empty text or a stack trace, and
 * with the headers of the request. Until {@link #restore} the exchange has no exception.
 */
final class FlowAnswer extends DelegateAsyncProcessor {
    private static final String FAILURE = "CaravanseraiHttpFailure";

    private static final ThreadLocal<CompletableFuture<Object>> END = new ThreadLocal<>();

    private final boolean isMuted;

    /** @param isMuted whether the answer omits the message of the exception ({@code muteException}) */
    FlowAnswer(Processor route, boolean isMuted) {
        super(route);
        this.isMuted = isMuted;
    }

    private record Failure(Exception exception, Message message) {}

    @Override
    protected void doStop() {
        // Does not stop the steps of the route: a consumer stops when the flow is edited, and requests in flight
        // continue.
    }

    /** Starts the route on this thread and returns. {@link #takeEnd} has the end of the route. */
    @Override
    public void process(Exchange exchange) {
        CompletableFuture<Object> end = new CompletableFuture<>();
        END.set(end);
        process(exchange, doneSync -> end.complete(null));
    }

    /** Returns the future that completes at the end of the route that this thread has just started; else empty. */
    static Optional<CompletableFuture<Object>> takeEnd() {
        Optional<CompletableFuture<Object>> end = Optional.ofNullable(END.get());
        END.remove();
        return end;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        return super.process(exchange, doneSync -> {
            answer(exchange);
            callback.done(doneSync);
        });
    }

    private void answer(Exchange exchange) {
        Integer code = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
        Exception failure = exchange.getException();
        if (failure != null) {
            int status = code != null && code >= 400 ? code : usualStatus(exchange);
            exchange.setProperty(FAILURE, new Failure(failure, exchange.getMessage()));
            exchange.setException(null);
            exchange.setMessage(problem(exchange, status, detail(failure)));
        } else if (code != null && code >= 400 && isEmpty(exchange.getMessage())) {
            write(exchange.getMessage(), code, "the flow refused the request");
        }
    }

    private static int usualStatus(Exchange exchange) {
        return exchange.getException(StoreUnavailableException.class) == null ? 500 : 503;
    }

    private String detail(Exception failure) {
        boolean says = !isMuted && failure.getMessage() != null;
        return says ? failure.getMessage() : "the flow failed; the hub's log says more";
    }

    private static boolean isEmpty(Message message) {
        return message.getBody() == null || "".equals(message.getBody());
    }

    private static Message problem(Exchange exchange, int status, String detail) {
        Message answer = new DefaultMessage(exchange);
        write(answer, status, detail);
        if (status == 503) {
            answer.setHeader("Retry-After", "1");
        }
        return answer;
    }

    private static void write(Message answer, int status, String detail) {
        answer.setHeader(Exchange.HTTP_RESPONSE_CODE, status);
        answer.setHeader(Exchange.CONTENT_TYPE, Problem.MEDIA_TYPE);
        answer.setHeader("Cache-Control", "no-store");
        answer.setBody(Problem.of(status, detail).response().body());
    }

    /** Restores the exception of the exchange once the response has been written. */
    static void restore(Exchange exchange) {
        if (exchange.removeProperty(FAILURE) instanceof Failure failure) {
            exchange.setMessage(failure.message());
            exchange.setException(failure.exception());
        }
    }
}
