package io.caravanserai.flow;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
    /** Steps that send copies of an exchange on, and wait for them. */
    private static final Set<String> WAIT_FOR_COPIES = Set.of("enrich", "multicast", "recipientList", "split");

    private static final String DEPTH = "caravanserai.depth";

    private volatile boolean allEnd;
    /** The routes whose own exchanges end, when those of other routes do not. */
    private volatile Set<String> endingRoutes = Set.of();

    /** Counts from now on how often each exchange comes back to a step. */
    void endLoops() {
        allEnd = true;
    }

    /** The same for the exchanges that began in certain routes only. */
    void endLoopsFrom(Set<String> routes) {
        endingRoutes = routes;
    }

    /** The version takes in messages again. */
    void reset() {
        allEnd = false;
        endingRoutes = Set.of();
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
        boolean ends = allEnd || isEndingRoute(exchange.getFromRouteId());
        if (ends && Passes.count(exchange, step) > MAX_PASSES) {
            return new FlowEndedException("the exchange goes round in a flow version that has ended; it came back to '"
                    + step + "' more than " + MAX_PASSES + " times since");
        }
        UnitOfWork work = exchange.getUnitOfWork();
        if (depth(exchange) + (work == null ? 0 : work.routeStackLevel()) > MAX_DEPTH) {
            return new FlowEndedException("more than " + MAX_DEPTH
                    + " routes have called each other: routes of the flow call themselves without end");
        }
        return null;
    }

    /** How many steps that wait for copies of their exchange have made copies of copies down to this exchange. */
    private static int depth(Exchange exchange) {
        return exchange.getProperty(DEPTH, 0, Integer.class);
    }

    private boolean isEndingRoute(String routeId) {
        return routeId != null && endingRoutes.contains(routeId);
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
                // The route stack of a copy begins anew, so the depth goes to the copies as a property.
                int depth = depth(exchange);
                exchange.setProperty(DEPTH, depth + 1);
                return super.process(exchange, doneSync -> {
                    exchange.setProperty(DEPTH, depth);
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
}
