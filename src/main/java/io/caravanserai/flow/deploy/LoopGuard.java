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
 * Ends exchanges that go round in the routes of one flow version without end.
 *
 * <p>After {@link #endLoops}, an exchange may still pass each step {@value #MAX_PASSES} times: an exchange that moves
 * forward reaches its end, however slow its steps are, and an exchange that comes back to a step again and again is
 * ended there. At any time the depth of calls and the turns of a dynamicRouter are bounded, because Camel keeps memory
 * for each of them until the last has ended, and stack too when it ends. Thread-safe.
 */
final class LoopGuard implements InterceptStrategy {
    /** How often an exchange may pass a step after its version has ended. */
    static final int MAX_PASSES = 3;
    /** How many routes may have called each other, the last one before the first has ended. */
    static final int MAX_DEPTH = 500;
    /** How often a dynamicRouter may ask its expression where to send one exchange. */
    static final int MAX_TURNS = 1_000;

    private static final String PASSES = "caravanserai.passes";
    private static final String COPIES = "caravanserai.copies";
    /** Steps that send copies of an exchange on, and wait for them. */
    private static final Set<String> WAIT_FOR_COPIES = Set.of("enrich", "multicast", "recipientList", "split");

    /** How often an exchange may come back to a step; no limit as long as the version takes in messages. */
    private volatile int maxPasses = Integer.MAX_VALUE;
    /** The same for the exchanges that began in certain routes. */
    private volatile Limit limit = new Limit(Set.of(), Integer.MAX_VALUE);

    private record Limit(Set<String> routes, int maxPasses) {}

    /** Counts from now on how often each exchange comes back to a step. */
    void endLoops() {
        maxPasses = MAX_PASSES;
    }

    /** The same for the exchanges that began in certain routes only. */
    void endLoopsFrom(Set<String> routes, int maxPasses) {
        limit = new Limit(routes, maxPasses);
    }

    /** The version takes in messages again. */
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

    /** Why an exchange must not go on; null when it may. */
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

    /** Fails an exchange for good: no redelivery, no onException and no further step. */
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
                // The router takes this property in place of the expression in its definition.
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

    /** The expression of a dynamicRouter, which may send an exchange outside the flow's routes each time. */
    private final class GuardedSlip implements Expression {
        private final String step;
        private final Expression written;
        // One exchange has one expression, and asks it by one thread after the other.
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
     * How often an exchange passed each step. A copy goes on from the counts of its original, so that a message which a
     * route sends to itself is found too; its own passes do not count for its original, or the parts of a split would
     * count as rounds.
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
     * The copies that a step has made of an exchange and waits for. The route stack of a copy begins anew, so the depth
     * goes to the copies as a property. When one of them is too deep, all copies of the outermost exchange end: two
     * copies at each of hundreds of levels would otherwise be too many to fail one by one.
     */
    private static final class Copies {
        private final int depth;
        private final AtomicReference<FlowEndedException> failure;
        /** A copy that has gone on by a queue is nobody's copy any more. */
        private volatile boolean ended;

        private Copies(int depth, AtomicReference<FlowEndedException> failure) {
            this.depth = depth;
            this.failure = failure;
        }

        /** Null when nothing waits for the exchange as a copy. */
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
