package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.core.spi.FilterReply;
import io.caravanserai.support.LineLimit;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class FlowLogFilterTest {
    private static final String CONSUMER = "org.apache.camel.component.seda.SedaConsumer";
    private static final String ERROR_HANDLER = "org.apache.camel.processor.errorhandler.DefaultErrorHandler";

    private final AtomicLong nanos = new AtomicLong();
    private final FlowLogFilter filter = new FlowLogFilter(nanos::get);
    private final LoggerContext context = new LoggerContext();

    private FilterReply reply(String logger, Level level) {
        return filter.decide(null, context.getLogger(logger), level, "Error processing exchange", null, null);
    }

    @Test
    void failuresOfExchangesPassUpToALimitEachMinute() {
        for (int i = 0; i < LineLimit.MAX_LINES; i++) {
            assertThat(reply(CONSUMER, Level.WARN)).isEqualTo(FilterReply.NEUTRAL);
        }
        assertThat(reply(CONSUMER, Level.WARN)).isEqualTo(FilterReply.DENY);
        assertThat(reply(ERROR_HANDLER, Level.ERROR)).isEqualTo(FilterReply.NEUTRAL);
        nanos.addAndGet(TimeUnit.MINUTES.toNanos(1));
        assertThat(reply(CONSUMER, Level.WARN)).isEqualTo(FilterReply.NEUTRAL);
    }

    @Test
    void nextLineHasNumberOfDroppedLines() {
        LineLimit limit = new LineLimit(nanos::get);
        for (int i = 0; i < LineLimit.MAX_LINES; i++) {
            assertThat(limit.pass("flow-1@flow.1")).hasValue(0);
        }
        for (int i = 0; i < 3; i++) {
            assertThat(limit.pass("flow-1@flow.1")).isEmpty();
        }
        nanos.addAndGet(TimeUnit.MINUTES.toNanos(1));
        assertThat(limit.pass("flow-1@flow.1")).hasValue(3);
    }

    @Test
    void otherLinesAreNotLimited() {
        for (int i = 0; i < 100; i++) {
            assertThat(reply("flow.audit", Level.INFO)).isEqualTo(FilterReply.NEUTRAL);
            assertThat(reply("io.caravanserai.app.Hub", Level.ERROR)).isEqualTo(FilterReply.NEUTRAL);
        }
    }
}
