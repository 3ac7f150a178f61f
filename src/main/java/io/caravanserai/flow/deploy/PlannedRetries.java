package io.caravanserai.flow.deploy;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.ErrorHandlerFactory;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RedeliveryPolicyDefinition;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.errorhandler.DefaultErrorHandlerDefinition;
import org.apache.camel.processor.errorhandler.RedeliveryPolicy;
import org.apache.camel.reifier.errorhandler.ErrorHandlerReifier;

/**
 * Notifies the {@link RetryListener} of the context when an error handler of a flow plans another attempt. Camel
 * notifies listeners only after the delay, but calls {@code onExceptionOccurred} before the delay, when the redelivery
 * policy and the redelivery count determine the next attempt. A processor that the flow sets there is kept.
 */
final class PlannedRetries implements Processor {
    private final RetryListener listener;
    private final RedeliveryPolicy policy;

    private PlannedRetries(RetryListener listener, RedeliveryPolicy policy) {
        this.listener = listener;
        this.policy = policy;
    }

    /** Installs the notification in the error handlers of a flow. Call before the routes are added. */
    static void watch(RouteBuilder builder, CamelContext context) {
        RetryListener listener = context.getCamelContextExtension().getContextPlugin(RetryListener.class);
        if (listener == null) {
            return;
        }
        Stream<OnExceptionDefinition> inRoutes = builder.getRouteCollection().getRoutes().stream()
                .flatMap(route ->
                        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), OnExceptionDefinition.class)
                                .stream());
        Stream<OnExceptionDefinition> inFile = builder.getRouteCollection().getOnExceptions().stream();
        Stream<OnExceptionDefinition> inConfigurations = builder instanceof RouteConfigurationBuilder both
                ? both.getRouteConfigurationCollection().getRouteConfigurations().stream()
                        .map(RouteConfigurationDefinition::getOnExceptions)
                        .flatMap(List::stream)
                : Stream.empty();
        Stream.of(inRoutes, inFile, inConfigurations)
                .flatMap(each -> each)
                .forEach(each -> watch(each, listener, context));
        watch(builder.getRouteCollection().getErrorHandlerFactory(), listener, context);
        builder.getRouteCollection()
                .getRoutes()
                .forEach(route -> watch(route.getErrorHandlerFactory(), listener, context));
    }

    private static void watch(OnExceptionDefinition handler, RetryListener listener, CamelContext context) {
        boolean isFree = handler.getOnExceptionOccurred() == null && handler.getOnExceptionOccurredRef() == null;
        // Only Camel's evaluation of the predicate decides whether the flow retries.
        if (isFree && handler.getRedeliveryPolicyType() != null && handler.getRetryWhile() == null) {
            handler.setOnExceptionOccurred(
                    new PlannedRetries(listener, policy(handler.getRedeliveryPolicyType(), context)));
        }
    }

    private static void watch(ErrorHandlerFactory handler, RetryListener listener, CamelContext context) {
        if (handler instanceof DefaultErrorHandlerDefinition plain
                && plain.hasRedeliveryPolicy()
                && plain.getOnExceptionOccurredProcessor() == null
                && plain.getOnExceptionOccurredRef() == null) {
            plain.setOnExceptionOccurredProcessor(
                    new PlannedRetries(listener, policy(plain.getRedeliveryPolicy(), context)));
        }
    }

    private static RedeliveryPolicy policy(RedeliveryPolicyDefinition definition, CamelContext context) {
        return ErrorHandlerReifier.createRedeliveryPolicy(definition, context, null);
    }

    @Override
    public void process(Exchange exchange) {
        int redelivery = exchange.getIn().getHeader(Exchange.REDELIVERY_COUNTER, 0, Integer.class);
        boolean isOver = exchange.getExchangeExtension().isRedeliveryExhausted() || exchange.isRollbackOnly();
        Exception failure = exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Exception.class);
        if (redelivery > 0 && !isOver && failure != null && policy.shouldRedeliver(exchange, redelivery, null)) {
            listener.planned(exchange, failure, delay(exchange, redelivery));
        }
    }

    private Duration delay(Exchange exchange, int redelivery) {
        Long chosen = exchange.getIn().getHeader(Exchange.REDELIVERY_DELAY, Long.class);
        if (chosen != null) {
            return Duration.ofMillis(chosen);
        }
        long millis = 0;
        for (int i = 1; i <= redelivery; i++) {
            millis = policy.calculateRedeliveryDelay(millis, i);
        }
        return Duration.ofMillis(millis);
    }
}
