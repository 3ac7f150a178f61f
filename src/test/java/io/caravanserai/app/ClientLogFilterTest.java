package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.core.spi.FilterReply;
import io.caravanserai.support.OutageLog;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class ClientLogFilterTest {
    private final AtomicLong nanos = new AtomicLong();
    private final ClientLogFilter filter = new ClientLogFilter(nanos::get);
    private final LoggerContext context = new LoggerContext();

    @Test
    void clientLinesAboutUnavailableBrokerAreDropped() {
        assertThat(reply("org.apache.activemq.artemis.core.client", Level.WARN, "AMQ212037: CORE connection failure"))
                .isEqualTo(FilterReply.DENY);
        assertThat(reply(
                        "org.apache.kafka.clients.NetworkClient",
                        Level.WARN,
                        "[Producer clientId=hub-1] Bootstrap broker 127.0.0.1:1 disconnected"))
                .isEqualTo(FilterReply.DENY);
    }

    @Test
    void unavailableBrokerOfFlowIsLoggedOnceAMinuteUnlessPartOfHubIsUnavailable() {
        String listener = "org.apache.camel.component.jms.DefaultJmsMessageListenerContainer";
        String away = "Could not refresh JMS Connection for destination 'mine'";
        assertThat(reply(listener, Level.ERROR, away)).isEqualTo(FilterReply.NEUTRAL);
        assertThat(reply(listener, Level.ERROR, away)).isEqualTo(FilterReply.DENY);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(61));
        OutageLog outage = new OutageLog(LoggerFactory.getLogger(getClass()), "broker");
        outage.failed("away for this test");
        try {
            assertThat(reply(listener, Level.ERROR, away)).isEqualTo(FilterReply.DENY);
        } finally {
            outage.forget();
        }
        assertThat(reply(listener, Level.ERROR, away)).isEqualTo(FilterReply.NEUTRAL);
    }

    @Test
    void unavailableKafkaOfFlowIsLoggedOnceAMinute() {
        String client = "org.apache.kafka.clients.NetworkClient";
        String away = "[Consumer clientId=consumer-mine-1, groupId=mine] Bootstrap broker 10.0.0.1:9092 disconnected";
        assertThat(reply(client, Level.WARN, away)).isEqualTo(FilterReply.NEUTRAL);
        assertThat(reply(client, Level.WARN, away)).isEqualTo(FilterReply.DENY);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(61));
        assertThat(reply(client, Level.WARN, away)).isEqualTo(FilterReply.NEUTRAL);
    }

    @Test
    void refusedLoginIsLoggedAlsoDuringOutage() {
        OutageLog outage = new OutageLog(LoggerFactory.getLogger(getClass()), "database");
        outage.failed("away for this test");
        try {
            String client = "org.apache.kafka.clients.NetworkClient";
            String refused = "[AdminClient clientId=hub-1] Connection to node -1 failed authentication due to: no";
            assertThat(reply(client, Level.ERROR, refused)).isEqualTo(FilterReply.NEUTRAL);
            assertThat(reply(client, Level.ERROR, refused)).isEqualTo(FilterReply.DENY);
            assertThat(reply(client, Level.ERROR, "something else")).isEqualTo(FilterReply.DENY);
        } finally {
            outage.forget();
        }
    }

    @Test
    void otherClientLinesPassOnceAMinute() {
        String listener = "org.apache.camel.component.jms.DefaultJmsMessageListenerContainer";
        String refused = "Setup failed. Cause: AMQ229213: User: null does not have permission='CONSUME'";
        assertThat(reply(listener, Level.WARN, refused)).isEqualTo(FilterReply.NEUTRAL);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(59));
        assertThat(reply(listener, Level.WARN, refused)).isEqualTo(FilterReply.DENY);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(2));
        assertThat(reply(listener, Level.WARN, refused)).isEqualTo(FilterReply.NEUTRAL);
    }

    @Test
    void otherLoggersAreNotFiltered() {
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
