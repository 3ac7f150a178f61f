package io.caravanserai.outside;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.camel.AsyncProducer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.ExchangeTimedOutException;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.service.ServiceHelper;

/**
 * Calls a service over an endpoint of Camel, JMS or Kafka. Each attempt has a message of its own, so a late reply
 * changes no message in use. Sending may block, so each attempt runs on a thread of the executor.
 */
final class CamelTransport implements Transport {
    private final Endpoint endpoint;
    private final AsyncProducer producer;
    private final ExchangePattern pattern;
    private final Duration timeout;
    private final Predicate<Throwable> isFinal;
    private final ExecutorService executor;
    private final ScheduledExecutorService timer;

    /**
     * @param timeout for the reply once the message is sent; the options of the endpoint limit the sending
     * @param isFinal whether a failure to send is permanent
     */
    CamelTransport(
            Endpoint endpoint,
            ExchangePattern pattern,
            Duration timeout,
            Predicate<Throwable> isFinal,
            OutsideCalls calls)
            throws Exception {
        this.endpoint = endpoint;
        this.pattern = pattern;
        this.timeout = timeout;
        this.isFinal = isFinal;
        this.executor = calls.executor();
        this.timer = calls.timer();
        this.producer = endpoint.createAsyncProducer();
        ServiceHelper.startService(producer);
    }

    @Override
    public Sending send(Request request) {
        Attempt attempt = new Attempt(request);
        executor.execute(attempt::run);
        return new Sending(attempt.result, attempt.released);
    }

    private final class Attempt {
        private final Exchange exchange = new DefaultExchange(endpoint.getCamelContext(), pattern);
        private final CompletableFuture<CallResult> result = new CompletableFuture<>();
        private final CompletableFuture<Void> released = new CompletableFuture<>();
        private volatile boolean handedOver;

        Attempt(Request request) {
            exchange.getMessage().setBody(request.body());
            request.headers().forEach(exchange.getMessage()::setHeader);
        }

        void run() {
            timer.schedule(this::expire, timeout.toMillis(), TimeUnit.MILLISECONDS);
            try {
                producer.process(exchange, doneSynchronously -> result.complete(outcome()));
                handedOver = true;
            } catch (RuntimeException e) {
                exchange.setException(e);
                result.complete(outcome());
            } finally {
                released.complete(null);
            }
        }

        private void expire() {
            result.complete(
                    handedOver
                            ? new CallResult.Failed("no answer within " + timeout.toMillis() + " ms")
                            : new CallResult.NotDelivered("could not be sent within " + timeout.toMillis() + " ms"));
        }

        private CallResult outcome() {
            Exception failure = exchange.getException();
            if (failure == null) {
                // Reads the body now, while the transport still holds the reply.
                return MessageAnswer.judge(
                        exchange.getMessage().getBody(), exchange.getMessage().getHeaders());
            }
            String detail = failure.getClass().getSimpleName() + ": " + failure.getMessage();
            return failure instanceof ExchangeTimedOutException || isFinal(failure)
                    ? new CallResult.Failed(detail)
                    : new CallResult.NotDelivered(detail);
        }

        private boolean isFinal(Throwable failure) {
            for (Throwable each = failure; each != null; each = each.getCause()) {
                if (isFinal.test(each)) {
                    return true;
                }
            }
            return false;
        }
    }

    @Override
    public void close() {
        ServiceHelper.stopService(producer);
    }
}
