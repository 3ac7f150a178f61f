package io.caravanserai.support;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OutageLogTest {
    private final AtomicLong nanos = new AtomicLong();
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private OutageLog outage;

    @BeforeEach
    void listen() {
        Logger log = new LoggerContext().getLogger("test");
        log.setLevel(Level.INFO);
        lines.start();
        log.addAppender(lines);
        outage = new OutageLog(log, "database", nanos::get);
    }

    @Test
    void anOutageIsLoggedAtItsStartOnceAMinuteAndAtItsEnd() {
        for (int second = 0; second < 150; second++) {
            outage.failed("full");
            after(Duration.ofSeconds(1));
        }
        outage.worked();
        outage.worked();

        assertThat(messages())
                .containsExactly("unavailable", "still unavailable", "still unavailable", "available again");
    }

    @Test
    void aPartWithoutFailureLogsNothing() {
        outage.worked();

        assertThat(messages()).isEmpty();
    }

    @Test
    void aPartThatFailsAndRecoversEverySecondIsOneOutage() {
        for (int second = 0; second < 120; second++) {
            outage.failed("full");
            outage.worked();
            after(Duration.ofSeconds(1));
        }

        assertThat(messages())
                .containsExactly("unavailable", "available again", "still unavailable", "available again");
    }

    @Test
    void aSecondOutageIsLogged() {
        outage.failed("full");
        outage.worked();
        after(Duration.ofSeconds(10));
        outage.failed("gone");

        assertThat(messages()).containsExactly("unavailable", "available again", "unavailable");
    }

    private void after(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    private List<String> messages() {
        return lines.list.stream().map(ILoggingEvent::getMessage).toList();
    }
}
