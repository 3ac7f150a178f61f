package io.caravanserai.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** Records the log of a hub in this process while open. */
final class CapturedLog extends AppenderBase<ILoggingEvent> implements AutoCloseable {
    private final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();
    private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    private final Logger hub = (Logger) LoggerFactory.getLogger("io.caravanserai");
    private final Level before = hub.getLevel();

    private CapturedLog() {}

    static CapturedLog open() {
        CapturedLog log = new CapturedLog();
        log.setContext(log.root.getLoggerContext());
        log.start();
        log.hub.setLevel(Level.INFO);
        log.root.addAppender(log);
        return log;
    }

    @Override
    protected void append(ILoggingEvent event) {
        event.prepareForDeferredProcessing();
        events.add(event);
    }

    /** Returns lines with the text in the message or in the value of a key. */
    List<String> with(String text) {
        return events.stream()
                .filter(event -> line(event).contains(text))
                .map(CapturedLog::line)
                .toList();
    }

    /** Whether a line with the text has a stack trace. */
    boolean hasTraceWith(String text) {
        return events.stream()
                .anyMatch(event ->
                        event.getThrowableProxy() != null && line(event).contains(text));
    }

    private static String line(ILoggingEvent event) {
        return event.getLevel() + " " + event.getFormattedMessage() + " "
                + (event.getKeyValuePairs() == null ? "" : event.getKeyValuePairs());
    }

    @Override
    public void close() {
        root.detachAppender(this);
        hub.setLevel(before);
        stop();
    }
}
