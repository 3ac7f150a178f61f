package io.caravanserai.service;

import io.caravanserai.order.Step;
import java.util.Arrays;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Processor;

/**
 * What a flow calls that has caught the failure of a service outside: makes of it a {@link ServiceUnavailableException},
 * which flows try again and give up like that of a service of the hub. The variable {@code unavailable} names the step
 * that fails with the service.
 */
final class Unavailable implements Processor {
    private static final String VARIABLE = "unavailable";

    @Override
    public void process(Exchange exchange) {
        String name = exchange.getVariable(VARIABLE, String.class);
        Step step = Arrays.stream(Step.values())
                .filter(each -> each.action().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "the variable 'unavailable' must name a step, not '" + name + "'"));
        Exception caught = exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Exception.class);
        int attempt = exchange.getMessage().getHeader(Exchange.REDELIVERY_COUNTER, 0, Integer.class) + 1;
        throw new ServiceUnavailableException(step, attempt, String.valueOf(caught));
    }
}
