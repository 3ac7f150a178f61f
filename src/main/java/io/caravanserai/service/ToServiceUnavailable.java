package io.caravanserai.service;

import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Processor;

/**
 * What a flow calls that has caught the failure of a service outside: makes of it a {@link ServiceUnavailableException},
 * which flows try again and give up like that of a service of the hub. The variable {@code unavailable} names the step
 * that fails with the service, one of the hub's or of the flow's own.
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
