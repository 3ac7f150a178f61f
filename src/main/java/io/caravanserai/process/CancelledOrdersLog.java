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

/** Writes one line for each order that is cancelled, with its id, so that a search for the id finds it. Thread-safe. */
public final class CancelledOrdersLog {
    private static final Logger LOG = LoggerFactory.getLogger(CancelledOrdersLog.class);
    private static final Set<Reason> NEEDS_A_LOOK =
            EnumSet.of(Reason.FLOW_ERROR, Reason.SERVICE_UNAVAILABLE, Reason.TIMED_OUT);
    private static final int MAX_EXPLAINED = 4_096;

    /** Orders that are being compensated. After a restart the line lacks the step; the history has it. */
    private final Map<String, Failure> explained = Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Failure> eldest) {
            return size() > MAX_EXPLAINED;
        }
    });

    private record Failure(String step, String error) {}

    /** Keeps what the line is to say of an order that turns back. */
    void explain(String orderId, String step, String error) {
        explained.put(orderId, new Failure(step, error));
    }

    /** To be told of each event once it is durable. */
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
