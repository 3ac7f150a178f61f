package io.caravanserai.service;

import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Processor;

/**
 * Turns the caught failure of an outside service into a {@link ServiceUnavailableException}, so that the retry policy
 * of the flow treats outside services and services of the hub alike. The variable {@code unavailable} names the failed
 * step, a service step or a step of the flow's own.
 */
final class ToServiceUnavailable implements Processor {
    private static final String VARIABLE = "unavailable";

    @Override
    public void process(Exchange exchange) {
        StepName step = new StepName(exchange.getVariable(VARIABLE, String.class));
        Exception caught = exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Exception.class);
        int attempt = exchange.getMessage().getHeader(Exchange.REDELIVERY_COUNTER, 0, Integer.class) + 1;
        throw new ServiceUnavailableException(step, attempt, String.valueOf(caught));
    }
}
