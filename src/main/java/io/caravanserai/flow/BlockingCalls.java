package io.caravanserai.flow;

import io.caravanserai.saga.SagaStatus;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.AsyncCallback;
import org.apache.camel.AsyncProcessor;
import org.apache.camel.CamelContext;
import org.apache.camel.EndpointAware;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.model.EnrichDefinition;
import org.apache.camel.model.ExpressionNode;
import org.apache.camel.model.PollEnrichDefinition;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.AsyncProcessorConverterHelper;
import org.apache.camel.support.AsyncProcessorSupport;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Runs the steps of flows that may block on threads of their own, with one pool for each kind of target. A flow
 * continues on the thread that completed the last step, often a completion thread of the store. An unavailable or slow
 * target then delays only the callers of the target.
 * <p>While a target is known to be unavailable, calls wait without a thread and continue once the target is back. A
 * call is dropped when the saga has changed state meanwhile. Thread-safe.
 */
public final class BlockingCalls implements InterceptStrategy, AutoCloseable {
    /** Maximum number of blocking calls of one kind; further calls wait for a thread. */
    private static final int THREADS_OF_A_KIND = 64;

    private static final int IDLE_SECONDS = 30;
    private static final String ANY_CODE = "code";
    private static final String ANY_TARGET = "dynamic";

    /** Components with producers that never block. */
    private static final Set<String> NEVER_BLOCK = Set.of(
            "direct",
            "events",
            "kamelet",
            "log",
            "mock",
            "orders",
            "platform-http",
            "saga",
            "seda",
            "stub",
            "vertx-http");

    private static final Map<String, String> KINDS_OF_STEPS = Map.of(
            "toD", ANY_TARGET,
            "recipientList", ANY_TARGET,
            "routingSlip", ANY_TARGET,
            "enrich", ANY_TARGET,
            "pollEnrich", ANY_TARGET,
            "bean", ANY_CODE,
            "process", ANY_CODE,
            "script", ANY_CODE);

    private static final Pattern SCHEME = Pattern.compile("([a-z][a-z0-9+.-]*):.*", Pattern.DOTALL);

    private final Map<String, ThreadPoolExecutor> pools = new ConcurrentHashMap<>();
    private final AwayCalls away;

    /**
     * @param trouble by scheme, the reason why a target is unavailable; targets of other schemes count as available
     * @param sagaStatus reads the status of a saga by id; empty for an unknown saga
     */
    public BlockingCalls(
            Map<String, Supplier<Optional<String>>> trouble,
            Function<String, CompletableFuture<Optional<SagaStatus>>> sagaStatus) {
        this.away = new AwayCalls(trouble, sagaStatus);
    }

    @Override
    public Processor wrapProcessorInInterceptors(
            CamelContext context, NamedNode definition, Processor target, Processor nextTarget) {
        // Camel passes the step itself as the only target when no interceptor ran before this one.
        return kind(definition, nextTarget == null ? target : nextTarget)
                .<Processor>map(kind -> new HandedOver(kind, AsyncProcessorConverterHelper.convert(target)))
                .orElse(target);
    }

    /** Returns the pool of a step; empty for a step that does not block. */
    private static Optional<String> kind(NamedNode definition, Processor step) {
        if (step instanceof EndpointAware sends && sends.getEndpoint() != null) {
            return scheme(sends.getEndpoint().getEndpointUri());
        }
        String dynamic = KINDS_OF_STEPS.get(definition.getShortName());
        if (definition instanceof EnrichDefinition || definition instanceof PollEnrichDefinition) {
            String uri = ((ExpressionNode) definition).getExpression().getExpression();
            return uri != null && SCHEME.matcher(uri).matches() && !uri.startsWith("$")
                    ? scheme(uri)
                    : Optional.of(dynamic);
        }
        return Optional.ofNullable(dynamic);
    }

    private static Optional<String> scheme(String uri) {
        Matcher matcher = SCHEME.matcher(uri);
        return matcher.matches() && !NEVER_BLOCK.contains(matcher.group(1))
                ? Optional.of(matcher.group(1))
                : Optional.empty();
    }

    private ThreadPoolExecutor pool(String kind) {
        return pools.computeIfAbsent(kind, name -> {
            AtomicInteger number = new AtomicInteger();
            ThreadPoolExecutor pool = new ThreadPoolExecutor(
                    THREADS_OF_A_KIND,
                    THREADS_OF_A_KIND,
                    IDLE_SECONDS,
                    TimeUnit.SECONDS,
                    new LinkedBlockingQueue<>(),
                    work -> {
                        Thread thread = new CallThread(name, work, number.incrementAndGet());
                        thread.setContextClassLoader(BlockingCalls.class.getClassLoader());
                        return thread;
                    });
            pool.allowCoreThreadTimeOut(true);
            return pool;
        });
    }

    /** Drops the waiting calls: the orders are in the store, and the next start resumes the orders. */
    @Override
    public void close() {
        away.close();
        pools.values().forEach(ThreadPoolExecutor::shutdownNow);
    }

    private static final class CallThread extends Thread {
        private final String kind;

        CallThread(String kind, Runnable work, int number) {
            super(work, "flow-" + kind + "-" + number);
            this.kind = kind;
            setDaemon(true);
        }
    }

    private final class HandedOver extends AsyncProcessorSupport {
        private final String kind;
        private final AsyncProcessor step;

        HandedOver(String kind, AsyncProcessor step) {
            this.kind = kind;
            this.step = step;
        }

        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
            if (mustStay(exchange)) {
                return step.process(exchange, callback);
            }
            if (away.isAway(kind)) {
                away.park(
                        kind,
                        exchange,
                        () -> handOver(exchange, callback),
                        failure -> fail(exchange, callback, failure));
            } else if (Thread.currentThread() instanceof CallThread mine && mine.kind.equals(kind)) {
                return step.process(exchange, callback);
            } else {
                handOver(exchange, callback);
            }
            return false;
        }

        /** A transaction is bound to the thread that began the transaction. */
        private boolean mustStay(Exchange exchange) {
            return exchange.isTransacted()
                    || !TransactionSynchronizationManager.getResourceMap().isEmpty();
        }

        private void handOver(Exchange exchange, AsyncCallback callback) {
            try {
                // The caller has returned, so the callback must report an asynchronous end, also for a synchronous
                // step.
                pool(kind).execute(() -> step.process(exchange, doneSync -> callback.done(false)));
            } catch (RejectedExecutionException e) {
                fail(exchange, callback, new IllegalStateException("the hub is stopping", e));
            }
        }

        private void fail(Exchange exchange, AsyncCallback callback, Throwable failure) {
            exchange.setException(failure);
            callback.done(false);
        }
    }
}
