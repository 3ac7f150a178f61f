package io.caravanserai.flow.deploy;

import java.time.Duration;
import org.apache.camel.Exchange;

/** Receives notice of planned retries of a flow. A plugin of the Camel context. Thread-safe. */
@FunctionalInterface
public interface RetryListener {

    /**
     * The error handler of a flow has planned the next attempt of a step. Called before the delay; must not block.
     * @param failure why the last attempt failed
     * @param delay from now to the next attempt
     */
    void planned(Exchange exchange, Exception failure, Duration delay);
}
