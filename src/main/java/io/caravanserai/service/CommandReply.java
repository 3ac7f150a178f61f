package io.caravanserai.service;

import io.caravanserai.order.Reason;
import io.caravanserai.store.StoreUnavailableException;
import java.time.Duration;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Carries the failure of a step in a reply message. The consumer of a command writes the failure to headers of the
 * reply; the sender rebuilds the exception from the headers. The flow then handles the failure as in a direct call. The
 * request message stays unchanged.
 */
public final class CommandReply implements AggregationStrategy {
    private static final String REFUSED = "stepRefused";
    private static final String CLOSED = "stepClosed";
    private static final String UNAVAILABLE = "stepUnavailable";
    private static final String UNDO = "stepUndo";
    private static final String IN_HISTORY = "stepInHistory";
    private static final String RETRY_AFTER = "stepRetryAfterMillis";
    private static final String STORE_UNAVAILABLE = "storeUnavailable";
    private static final String ATTEMPT = "stepAttempt";
    private static final String DETAIL = "stepDetail";

    /**
     * Writes the caught failure of a step to headers of the reply. For a route that calls a service on behalf of a
     * command.
     */
    public static final Processor TELL_FAILURE = CommandReply::tellFailure;

    private static void tellFailure(Exchange exchange) {
        Message reply = exchange.getMessage();
        Exception caught = exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Exception.class);
        reply.setHeader(DETAIL, String.valueOf(caught == null ? null : caught.getMessage()));
        if (caught instanceof StepRefusedException refused) {
            reply.setHeader(REFUSED, refused.reason().wire());
        } else if (caught instanceof OrderClosedException) {
            reply.setHeader(CLOSED, true);
        } else if (caught instanceof ServiceUnavailableException unavailable) {
            reply.setHeader(UNAVAILABLE, unavailable.step().name());
            reply.setHeader(ATTEMPT, unavailable.attempt());
            reply.setHeader(UNDO, unavailable.isUndo());
            reply.setHeader(IN_HISTORY, unavailable.isInHistory());
            reply.setHeader(RETRY_AFTER, unavailable.retryAfter().toMillis());
        } else if (caught instanceof StoreUnavailableException) {
            reply.setHeader(STORE_UNAVAILABLE, true);
        }
    }

    @Override
    public Exchange aggregate(Exchange asked, Exchange answered) {
        Message reply = answered.getMessage();
        String detail = reply.getHeader(DETAIL, String.class);
        if (detail != null) {
            asked.setException(failure(asked, reply, detail));
        }
        return asked;
    }

    private static Exception failure(Exchange asked, Message reply, String detail) {
        String refused = reply.getHeader(REFUSED, String.class);
        if (refused != null) {
            return new StepRefusedException(Reason.ofWire(refused));
        }
        if (reply.getHeader(CLOSED, false, Boolean.class)) {
            String orderId = asked.getMessage().getHeader(ServiceEndpoint.ORDER_ID, String.class);
            return new OrderClosedException(orderId, "command");
        }
        String unavailable = reply.getHeader(UNAVAILABLE, String.class);
        if (unavailable != null) {
            return new ServiceUnavailableException(
                    new StepName(unavailable),
                    reply.getHeader(ATTEMPT, 1, Integer.class),
                    detail,
                    reply.getHeader(UNDO, false, Boolean.class),
                    reply.getHeader(IN_HISTORY, true, Boolean.class),
                    Duration.ofMillis(reply.getHeader(RETRY_AFTER, 0L, Long.class)));
        }
        if (reply.getHeader(STORE_UNAVAILABLE, false, Boolean.class)) {
            return new StoreUnavailableException(detail, null);
        }
        return new IllegalStateException("a command failed: " + detail);
    }
}
