package io.caravanserai.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

class RetriesExhaustedTest {
    @Test
    void aHandledFailureOfACompensationWithoutAnOrderIdFailsAgain() throws Exception {
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            context.addRoutes(new RouteBuilder() {
                @Override
                public void configure() {
                    from("direct:undo")
                            .onException(Exception.class)
                            .handled(true)
                            .process(new RetriesExhausted(null, null, null, null))
                            .end()
                            .process(exchange -> {
                                throw new IllegalStateException("no answer");
                            });
                }
            });
            context.start();

            Exchange undo = context.createProducerTemplate().send("direct:undo", exchange -> {});

            assertThat(undo.getException()).hasMessage("no answer");
        }
    }
}
