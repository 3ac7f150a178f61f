package io.caravanserai.process;

import io.caravanserai.event.EventData;
import io.caravanserai.event.OrderEvent;
import io.caravanserai.order.Reason;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/** Writes one log line for each cancelled order, with the order id as a key. Thread-safe. */
public final class CancelledOrdersLog {
    private static final Logger LOG = LoggerFactory.getLogger(CancelledOrdersLog.class);
    private static final Set<Reason> NEEDS_A_LOOK =
            EnumSet.of(Reason.FLOW_ERROR, Reason.SERVICE_UNAVAILABLE, Reason.TIMED_OUT);
    private static final int MAX_EXPLAINED = 4_096;

    /**
     * Failures of orders that are being compensated, by order id. After a restart the log line lacks the step; the
     * order history has the step.
     */
    private final Map<String, Failure> explained = Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Failure> eldest) {
            return size() > MAX_EXPLAINED;
        }
    });

    private record Failure(String step, String error) {}

    /** Remembers the failed step of an order for the log line of the cancellation. */
    void explain(String orderId, String step, String error) {
        explained.put(orderId, new Failure(step, error));
    }

    /** Call for each event once the event is durable. */
    public void happened(OrderEvent event) {
        if (!(event.data() instanceof EventData.OrderCancelled cancelled)) {
            return;
        }
        LoggingEventBuilder line = LOG.atLevel(NEEDS_A_LOOK.contains(cancelled.reason()) ? Level.WARN : Level.INFO)
                .addKeyValue("orderId", event.orderId())
                .addKeyValue("reason", cancelled.reason().wire());
        Failure failure = explained.remove(event.orderId());
        if (failure != null) {
            line = line.addKeyValue("step", failure.step()).addKeyValue("error", failure.error());
        }
        line.log("order cancelled");
    }
}
