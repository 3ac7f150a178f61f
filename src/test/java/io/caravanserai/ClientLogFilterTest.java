package io.caravanserai;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.core.spi.FilterReply;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ClientLogFilterTest {
    private final AtomicLong nanos = new AtomicLong();
    private final ClientLogFilter filter = new ClientLogFilter(nanos::get);
    private final LoggerContext context = new LoggerContext();

    @Test
    void thatABrokerIsAwayIsLeftToTheHub() {
        String listener = "org.apache.camel.component.jms.DefaultJmsMessageListenerContainer";
        assertThat(reply(listener, Level.ERROR, "Could not refresh JMS Connection for destination 'orders'"))
                .isEqualTo(FilterReply.DENY);
        assertThat(reply(
                        listener,
                        Level.WARN,
                        "Setup failed for '{}'. Cause: {}",
                        "orders",
                        "AMQ219017: Consumer is closed"))
                .isEqualTo(FilterReply.DENY);
        assertThat(reply("org.apache.activemq.artemis.core.client", Level.WARN, "AMQ212037: CORE connection failure"))
                .isEqualTo(FilterReply.DENY);
        assertThat(reply(
                        "org.apache.kafka.clients.NetworkClient",
                        Level.WARN,
                        "Bootstrap broker 127.0.0.1:1 disconnected"))
                .isEqualTo(FilterReply.DENY);
    }

    @Test
    void whatElseAClientSaysPassesOnceAMinute() {
        String listener = "org.apache.camel.component.jms.DefaultJmsMessageListenerContainer";
        String refused = "Setup failed. Cause: AMQ229213: User: null does not have permission='CONSUME'";
        assertThat(reply(listener, Level.WARN, refused)).isEqualTo(FilterReply.NEUTRAL);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(59));
        assertThat(reply(listener, Level.WARN, refused)).isEqualTo(FilterReply.DENY);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(2));
        assertThat(reply(listener, Level.WARN, refused)).isEqualTo(FilterReply.NEUTRAL);
    }

    @Test
    void othersAreNotFiltered() {
        assertThat(reply("io.caravanserai.broker.JmsBroker", Level.ERROR, "connection closed"))
                .isEqualTo(FilterReply.NEUTRAL);
        assertThat(reply("org.apache.activemq.artemis.core.server", Level.ERROR, "connection closed"))
                .isEqualTo(FilterReply.NEUTRAL);
    }

    private FilterReply reply(String logger, Level level, String format, Object... parameters) {
        Logger from = context.getLogger(logger);
        return filter.decide(null, from, level, format, parameters, null);
    }
}
