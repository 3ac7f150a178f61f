package io.caravanserai.outside;

import io.caravanserai.bus.EventsComponent;
import io.caravanserai.order.Reason;
import io.caravanserai.service.OrderClosedException;
import io.caravanserai.service.ServiceEndpoint;
import io.caravanserai.service.ServiceUnavailableException;
import io.caravanserai.service.StepRefusedException;
import java.io.InputStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.StreamCache;
import org.apache.camel.support.DefaultAsyncProducer;
import org.apache.camel.support.DefaultMessage;
import org.apache.camel.support.ExchangeHelper;
import org.apache.camel.support.MessageHelper;

/**
 * Makes a call for a message. The message stays unchanged; the variable {@code answer} receives the answer. A failed
 * attempt throws a {@link ServiceUnavailableException}, and the flow retries.
 */
final class OutsideProducer extends DefaultAsyncProducer {
    private static final String ANSWER = "answer";
    private static final String IDEMPOTENCY_KEY = "Idempotency-Key";

    private final OutsideEndpoint endpoint;
    private Transport transport;
    private ServiceLine line;

    OutsideProducer(OutsideEndpoint endpoint) {
        super(endpoint);
        this.endpoint = endpoint;
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        transport = endpoint.open();
        line = endpoint.calls().line(endpoint.target());
        line.allow(endpoint.maxConcurrent());
    }

    @Override
    protected void doStop() throws Exception {
        if (transport != null) {
            transport.close();
        }
        super.doStop();
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        try {
            Call call = call(exchange);
            endpoint.calls()
                    .make(call, request(exchange, call), transport, line)
                    .whenCompleteAsync(
                            (made, failure) -> take(exchange, call, made, failure, callback),
                            endpoint.calls().executor());
            return false;
        } catch (RejectedExecutionException e) {
            exchange.setException(OutsideCalls.stopping());
        } catch (RuntimeException e) {
            exchange.setException(e);
        }
        callback.done(true);
        return true;
    }

    private Call call(Exchange exchange) {
        Message message = exchange.getMessage();
        return new Call(
                message.getHeader(ServiceEndpoint.ORDER_ID, String.class),
                message.getHeader(Exchange.SAGA_LONG_RUNNING_ACTION, String.class),
                message.getHeader(EventsComponent.EVENT_ID, String.class),
                endpoint.step(),
                endpoint.action().orElseGet(() -> CallAction.of(exchange)),
                endpoint.target());
    }

    /** Sends only listed headers: other headers of a message may be confidential. */
    private Transport.Request request(Exchange exchange, Call call) {
        Message message = exchange.getMessage();
        Object body = body(message);
        Map<String, String> headers = new LinkedHashMap<>();
        String key = call.idempotencyKey();
        if (key == null) {
            copy(message, IDEMPOTENCY_KEY, headers);
        } else {
            headers.put(IDEMPOTENCY_KEY, key);
        }
        if (body != null) {
            copy(message, Exchange.CONTENT_TYPE, headers);
        }
        copy(message, "Accept", headers);
        copy(message, "traceparent", headers);
        copy(message, ServiceEndpoint.ORDER_ID, headers);
        endpoint.headers().forEach(name -> copy(message, name, headers));
        if (endpoint.isOverKafka() && call.orderId() != null) {
            headers.put("kafka.KEY", call.orderId());
        }
        return new Transport.Request(body, headers);
    }

    private static void copy(Message from, String name, Map<String, String> to) {
        String value = from.getHeader(name, String.class);
        if (value != null) {
            to.put(name, value);
        }
    }

    /** Reads the body for this attempt: a stream can be read only once. */
    private static Object body(Message message) {
        Object body = message.getBody();
        if (body instanceof StreamCache || body instanceof InputStream) {
            byte[] bytes = message.getBody(byte[].class);
            MessageHelper.resetStreamCache(message);
            return bytes;
        }
        return body;
    }

    private void take(Exchange exchange, Call call, OutsideCalls.Made made, Throwable failure, AsyncCallback callback) {
        if (failure != null) {
            exchange.setException(failure instanceof CompletionException ? failure.getCause() : failure);
        } else if (made.result() instanceof CallResult.Answered answer) {
            if (endpoint.isAnswered()) {
                Message message = new DefaultMessage(exchange.getContext());
                message.setBody(answer.body());
                message.setHeaders(new LinkedHashMap<>(answer.headers()));
                ExchangeHelper.setVariableFromMessageBodyAndHeaders(exchange, ANSWER, message);
            }
        } else if (made.result() instanceof CallResult.TurnedBack) {
            exchange.setException(new OrderClosedException(call.subject(), "call for " + call.step()));
        } else if (made.result() instanceof CallResult.Refused refusal && call.action() == CallAction.DO) {
            refuse(exchange, call, made.attempt(), refusal, callback);
            return;
        } else {
            exchange.setException(unavailable(call, made));
        }
        callback.done(false);
    }

    private static ServiceUnavailableException unavailable(Call call, OutsideCalls.Made made) {
        boolean wasMade = !(made.result() instanceof CallResult.NotDelivered);
        return new ServiceUnavailableException(
                call.step(),
                made.attempt(),
                call.target() + " " + detail(made.result()),
                call.isUndo(),
                wasMade && call.isInHistory(),
                made.result() instanceof CallResult.Failed failed ? failed.retryAfter() : Duration.ZERO);
    }

    private static String detail(CallResult result) {
        if (result instanceof CallResult.NotDelivered lost) {
            return "was not called: " + lost.detail();
        }
        return result instanceof CallResult.Failed failed ? failed.detail() : ((CallResult.Refused) result).detail();
    }

    private void refuse(Exchange exchange, Call call, int attempt, CallResult.Refused refusal, AsyncCallback callback) {
        endpoint.calls()
                .rules()
                .refused(call, attempt, refusal)
                .handle((reason, failure) -> failure == null ? reason : Reason.SERVICE_UNAVAILABLE)
                .thenAcceptAsync(
                        reason -> {
                            exchange.setException(new StepRefusedException(reason));
                            callback.done(false);
                        },
                        endpoint.calls().executor());
    }
}
