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
 * Keeps the clients of brokers from repeating that a broker is away: each of their connections, consumers and attempts
 * would say so, every second. The hub says it once and then once a minute ({@link OutageLog}). What the clients say
 * otherwise passes, once a minute for each logger and level: that a login or a permission is refused, also while a broker
 * is away; and that a Kafka is away which only a flow uses, for which nobody else would say it. Thread-safe.
 */
final class ClientLogFilter extends TurboFilter {
    private static final long BETWEEN_LINES = Duration.ofMinutes(1).toNanos();

    /** The clients alone: what embedded brokers say of themselves is theirs to say. */
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

    /** AMQ2190 and AMQ2120 begin the codes of Artemis' client for connections. */
    private static final Pattern AWAY = Pattern.compile(
            "AMQ2190|AMQ2120|connect|disconnect|session factory|closed|timed out|timeout|unavailable"
                    + "|cannot be reached|Exception inside the DMLC|fetch request|heartbeat",
            Pattern.CASE_INSENSITIVE);

    /** Never follows from an outage, and ends only when a person acts. */
    private static final Pattern REFUSED = Pattern.compile(
            "AMQ229031|AMQ229032|AMQ229213|authenticat|authoriz|permission|SASL|SSL handshake",
            Pattern.CASE_INSENSITIVE);

    /** Used by flows, which may have brokers of their own: the hub tells of no outage of those. */
    private static final List<String> OF_FLOWS = List.of(
            "org.apache.camel.component.jms",
            "org.apache.camel.component.kafka",
            "org.messaginghub.pooled.jms",
            "org.springframework.jms");

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

    /** Messages of servers may be of any length; what they are about is said at the beginning. */
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
