package io.caravanserai.flow.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.Consumer;
import org.apache.camel.component.mock.MockComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultConsumer;
import org.junit.jupiter.api.Test;

class ClosingConsumersTest {
    private static final Duration SHORT = Duration.ofMillis(50);
    private static final Duration LONG = Duration.ofSeconds(30);

    private final ClosingConsumers closing = new ClosingConsumers();
    private final CountDownLatch messageInHand = new CountDownLatch(1);

    /** A consumer that waits for the current message when stopped, for example of a JMS queue. */
    private Consumer consumer() throws Exception {
        DefaultCamelContext context = new DefaultCamelContext();
        context.addComponent("mock", new MockComponent());
        DefaultConsumer consumer = new DefaultConsumer(context.getEndpoint("mock:in"), exchange -> {}) {
            @Override
            protected void doStop() throws Exception {
                messageInHand.await();
            }
        };
        consumer.start();
        return consumer;
    }

    @Test
    void editDoesNotWaitForMessageThatNeverEnds() throws Exception {
        closing.close(List.of(consumer()));

        assertThat(closing.await(SHORT)).isFalse();
        messageInHand.countDown();
        assertThat(closing.await(LONG)).isTrue();
    }

    @Test
    void withoutConsumersNothingIsAwaited() {
        assertThat(closing.await(SHORT)).isTrue();
    }
}
