package io.caravanserai.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import io.caravanserai.process.FlowFailures;
import io.caravanserai.support.LineLimit;
import java.util.function.LongSupplier;
import org.slf4j.Marker;

/**
 * Limits log lines of Camel's consumers and error handlers about failed exchanges, each with a stack trace, to
 * {@value LineLimit#MAX_LINES} a minute for each logger. {@link FlowFailures} logs the number of failures. Thread-safe.
 */
final class FlowLogFilter extends TurboFilter {
    private static final String COMPONENTS = "org.apache.camel.component.";
    private static final String ERROR_HANDLERS = "org.apache.camel.processor.errorhandler.";

    private final LineLimit limit;

    FlowLogFilter() {
        this(System::nanoTime);
    }

    FlowLogFilter(LongSupplier nanos) {
        this.limit = new LineLimit(nanos);
    }

    @Override
    public FilterReply decide(
            Marker marker, Logger logger, Level level, String format, Object[] parameters, Throwable failure) {
        String name = logger.getName();
        boolean ofExchange =
                name.startsWith(COMPONENTS) && name.endsWith("Consumer") || name.startsWith(ERROR_HANDLERS);
        // A call without a format only asks whether the level is enabled.
        if (format == null || !ofExchange || !level.isGreaterOrEqual(Level.WARN)) {
            return FilterReply.NEUTRAL;
        }
        return limit.pass(name).isPresent() ? FilterReply.NEUTRAL : FilterReply.DENY;
    }
}
