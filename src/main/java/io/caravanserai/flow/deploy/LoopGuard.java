package io.caravanserai.flow.deploy;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Expression;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.processor.DynamicRouter;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.spi.UnitOfWork;
import org.apache.camel.support.AsyncProcessorConverterHelper;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/**
 * Ends exchanges that loop endlessly in the routes of one flow version.
 * <p>After {@link #endLoops}, an exchange may pass each step {@value #MAX_PASSES} more times: an exchange that moves
 * forward reaches the end, however slow the steps are, and a looping exchange is ended. The call depth and the turns of
 * a dynamicRouter are always bounded, because Camel keeps memory for each call until the last call has ended, and then
 * needs stack. Thread-safe.
 */
final class LoopGuard implements InterceptStrategy {
    /** How often an exchange may pass a step after the end of the version. */
    static final int MAX_PASSES = 3;
    /** Maximum number of nested route calls. */
    static final int MAX_DEPTH = 500;
    /** Maximum number of evaluations of a dynamicRouter for one exchange. */
    static final int MAX_TURNS = 1_000;

    private static final String PASSES = "caravanserai.passes";
    private static final String COPIES = "caravanserai.copies";
    /** Steps that send copies of an exchange and wait for the copies. */
    private static final Set<String> WAIT_FOR_COPIES = Set.of("enrich", "multicast", "recipientList", "split");

    /** How often an exchange may pass a step; unlimited while the version accepts messages. */
    private volatile int maxPasses = Integer.MAX_VALUE;
    /** The limit for exchanges that began in certain routes. */
    private volatile Limit limit = new Limit(Set.of(), Integer.MAX_VALUE);

    private record Limit(Set<String> routes, int maxPasses) {}

    /** Starts to count how often each exchange passes a step. */
    void endLoops() {
        maxPasses = MAX_PASSES;
    }

    /** Like {@link #endLoops}, for exchanges that began in certain routes. */
    void endLoopsFrom(Set<String> routes, int maxPasses) {
        limit = new Limit(routes, maxPasses);
    }

    /** Removes the limits; the version accepts messages again. */
    void reset() {
        maxPasses = Integer.MAX_VALUE;
        limit = new Limit(Set.of(), Integer.MAX_VALUE);
    }

    @Override
    public Processor wrapProcessorInInterceptors(
            CamelContext context, NamedNode definition, Processor target, Processor nextTarget) {
        Processor step = nextTarget == null ? target : nextTarget;
        boolean waitsForCopies = WAIT_FOR_COPIES.contains(definition.getShortName());
        return new Guarded(
                target, definition.getId(), step instanceof DynamicRouter router ? router : null, waitsForCopies);
    }

    /** Returns why an exchange must not continue; null when the exchange may continue. */
    private FlowEndedException refusal(Exchange exchange, String step) {
        int most = maxPasses(exchange.getFromRouteId());
        if (most < Integer.MAX_VALUE && Passes.count(exchange, step) > most) {
            return new FlowEndedException("the exchange goes round in a flow version that has ended; it came back to '"
                    + step + "' more than " + most + " times since");
        }
        Copies copies = Copies.of(exchange);
        if (copies != null && copies.failure.get() != null) {
            return copies.failure.get();
        }
        UnitOfWork work = exchange.getUnitOfWork();
        if ((copies == null ? 0 : copies.depth) + (work == null ? 0 : work.routeStackLevel()) > MAX_DEPTH) {
            FlowEndedException tooDeep = new FlowEndedException("more than " + MAX_DEPTH
                    + " routes have called each other: routes of the flow call themselves without end");
            return copies == null || copies.failure.compareAndSet(null, tooDeep) ? tooDeep : copies.failure.get();
        }
        return null;
    }

    private int maxPasses(String routeId) {
        Limit ofRoutes = limit;
        return routeId != null && ofRoutes.routes.contains(routeId)
                ? Math.min(maxPasses, ofRoutes.maxPasses)
                : maxPasses;
    }

    /** Fails an exchange finally: without redelivery, onException or further steps. */
    private static void end(Exchange exchange, FlowEndedException refusal) {
        exchange.setException(refusal);
        exchange.getExchangeExtension().setRedeliveryExhausted(true);
        exchange.setRouteStop(true);
    }

    private final class Guarded extends DelegateAsyncProcessor {
        private final String step;
        private final DynamicRouter router;
        private final boolean waitsForCopies;

        Guarded(Processor target, String step, DynamicRouter router, boolean waitsForCopies) {
            super(AsyncProcessorConverterHelper.convert(target));
            this.step = step;
            this.router = router;
            this.waitsForCopies = waitsForCopies;
        }

        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
            FlowEndedException refusal = refusal(exchange, step);
            if (refusal != null) {
                end(exchange, refusal);
                callback.done(true);
                return true;
            }
            if (router != null) {
                // The router uses this property in place of the expression in the definition.
                exchange.setProperty(
                        ExchangePropertyKey.EVALUATE_EXPRESSION_RESULT, new GuardedSlip(step, router.getExpression()));
            }
            if (waitsForCopies) {
                Object before = exchange.getProperty(COPIES);
                Copies copies = Copies.below(exchange);
                exchange.setProperty(COPIES, copies);
                return super.process(exchange, doneSync -> {
                    copies.ended = true;
                    exchange.setProperty(COPIES, before);
                    callback.done(doneSync);
                });
            }
            return super.process(exchange, callback);
        }
    }

    /** The expression of a dynamicRouter, which may send an exchange outside the routes of the flow each time. */
    private final class GuardedSlip implements Expression {
        private final String step;
        private final Expression written;
        // Not atomic: one exchange has one expression, evaluated by one thread at a time.
        private int turns;

        GuardedSlip(String step, Expression written) {
            this.step = step;
            this.written = written;
        }

        @Override
        public <T> T evaluate(Exchange exchange, Class<T> type) {
            turns++;
            FlowEndedException refusal = turns > MAX_TURNS
                    ? new FlowEndedException("the dynamicRouter '" + step + "' has sent the exchange on " + MAX_TURNS
                            + " times: its expression must return null to end")
                    : refusal(exchange, step);
            if (refusal != null) {
                end(exchange, refusal);
                return null;
            }
            return written.evaluate(exchange, type);
        }
    }

    /**
     * Number of passes of an exchange by step. A copy starts with the counts of the original, so that a message which a
     * route sends to itself is detected. The passes of a copy do not count for the original, else the parts of a split
     * would count as rounds.
     */
    private record Passes(String exchangeId, Map<String, Integer> bySteps) {

        static int count(Exchange exchange, String step) {
            Passes passes = exchange.getProperty(PASSES, Passes.class);
            if (passes == null || !passes.exchangeId.equals(exchange.getExchangeId())) {
                passes = new Passes(
                        exchange.getExchangeId(), new ConcurrentHashMap<>(passes == null ? Map.of() : passes.bySteps));
                exchange.setProperty(PASSES, passes);
            }
            return passes.bySteps.merge(step, 1, Integer::sum);
        }
    }

    /**
     * The copies of an exchange that a step waits for. The route stack of a copy is empty, so a property passes the
     * depth to the copies. When one copy is too deep, all copies of the outermost exchange end: two copies at each of
     * hundreds of levels are too many to fail one by one.
     */
    private static final class Copies {
        private final int depth;
        private final AtomicReference<FlowEndedException> failure;
        /** True once no step waits: a copy that has continued over a queue is no copy any more. */
        private volatile boolean ended;

        private Copies(int depth, AtomicReference<FlowEndedException> failure) {
            this.depth = depth;
            this.failure = failure;
        }

        /** Returns null when no step waits for the exchange as a copy. */
        static Copies of(Exchange exchange) {
            Copies copies = exchange.getProperty(COPIES, Copies.class);
            return copies == null || copies.ended ? null : copies;
        }

        static Copies below(Exchange exchange) {
            Copies copies = of(exchange);
            return copies == null
                    ? new Copies(1, new AtomicReference<>())
                    : new Copies(copies.depth + 1, copies.failure);
        }
    }
}
