package io.caravanserai.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import io.caravanserai.kafka.GroupInstanceId;
import io.caravanserai.support.OutageLog;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.slf4j.Marker;
import org.slf4j.helpers.MessageFormatter;

/**
 * Drops repeated log lines of broker clients about an unreachable broker: each connection, consumer and attempt would
 * log the outage every second. The hub logs the outage at the start and then once a minute ({@link OutageLog}). Other
 * lines of the clients pass once a minute for each logger and level: a refused login or permission, also during an
 * outage, and the outage of a Kafka cluster that only a flow uses, which no other part logs. Thread-safe.
 */
final class ClientLogFilter extends TurboFilter {
    private static final long BETWEEN_LINES = Duration.ofMinutes(1).toNanos();

    /** Loggers of clients only. Lines of embedded brokers pass. */
    private static final List<String> CLIENTS = List.of(
            "org.apache.activemq.artemis.core.client",
            "org.apache.activemq.artemis.core.protocol.core.impl",
            "org.apache.artemis.core.client",
            "org.apache.camel.component.jms",
            "org.apache.camel.component.kafka",
            "org.apache.kafka.clients",
            "org.apache.kafka.common",
            "org.messaginghub.pooled.jms",
            "org.springframework.jms");

    /** AMQ2190 and AMQ2120 are the prefixes of the connection codes of the Artemis client. */
    private static final Pattern AWAY = Pattern.compile(
            "AMQ2190|AMQ2120|connect|disconnect|session factory|closed|timed out|timeout|unavailable"
                    + "|cannot be reached|Exception inside the DMLC|fetch request|heartbeat",
            Pattern.CASE_INSENSITIVE);

    /** Never a consequence of an outage, and lasts until an operator acts. */
    private static final Pattern REFUSED = Pattern.compile(
            "AMQ229031|AMQ229032|AMQ229213|authenticat|authoriz|permission|SASL|SSL handshake",
            Pattern.CASE_INSENSITIVE);

    /** Loggers of flows. A flow may use a broker of its own, for which the hub logs no outage. */
    private static final List<String> OF_FLOWS =
            List.of("org.apache.camel.component.jms", "org.apache.camel.component.kafka", "org.springframework.jms");

    private static final String KAFKA_CLIENTS = "org.apache.kafka.clients";

    private final Map<String, Long> lastLines = new ConcurrentHashMap<>();
    private final LongSupplier nanos;

    ClientLogFilter() {
        this(System::nanoTime);
    }

    ClientLogFilter(LongSupplier nanos) {
        this.nanos = nanos;
    }

    @Override
    public FilterReply decide(
            Marker marker, Logger logger, Level level, String format, Object[] parameters, Throwable failure) {
        if (format == null
                || CLIENTS.stream().noneMatch(logger.getName()::startsWith)
                || !level.isGreaterOrEqual(logger.getEffectiveLevel())
                || Level.INFO.isGreaterOrEqual(level)) {
            return FilterReply.NEUTRAL;
        }
        String message =
                bounded(MessageFormatter.arrayFormat(format, parameters).getMessage());
        String error = failure == null ? "" : bounded(String.valueOf(failure));
        boolean refused =
                REFUSED.matcher(message).find() || REFUSED.matcher(error).find();
        if (!refused && (OutageLog.isAnyPartAway() || saysAway(logger, message, error))) {
            return FilterReply.DENY;
        }
        return isRepeated(logger.getName() + ' ' + level + (refused ? " refused" : ""))
                ? FilterReply.DENY
                : FilterReply.NEUTRAL;
    }

    /** Server messages may be of any length; the start is enough to classify a message. */
    private static String bounded(String text) {
        return text.length() <= 2_000 ? text : text.substring(0, 2_000);
    }

    private static boolean saysAway(Logger logger, String message, String error) {
        String name = logger.getName();
        boolean ofAFlow = name.startsWith(KAFKA_CLIENTS) && !message.contains("clientId=" + GroupInstanceId.PREFIX)
                || OF_FLOWS.stream().anyMatch(name::startsWith);
        return !ofAFlow && (AWAY.matcher(message).find() || AWAY.matcher(error).find());
    }

    private boolean isRepeated(String what) {
        long now = nanos.getAsLong();
        boolean[] repeated = new boolean[1];
        lastLines.compute(what, (key, last) -> {
            repeated[0] = last != null && now - last < BETWEEN_LINES;
            return repeated[0] ? last : now;
        });
        return repeated[0];
    }
}
