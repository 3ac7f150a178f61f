package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import java.util.concurrent.CompletableFuture;

/**
 * Records how flows react to the failure of an order without a saga. Looked up in the registry under the name
 * {@code reactions}. Thread-safe.
 */
public interface Reactions {

    /**
     * Records that a subscriber has handled an event of an order without a saga. Completes when the record is durable.
     */
    CompletableFuture<Void> done(CloudEvent event, String subscriber);

    /**
     * Whether a subscriber has handled the event, or a saga repeats the failed reaction. The bus is done with the event
     * in both cases.
     */
    CompletableFuture<Boolean> isSeenTo(CloudEvent event, String subscriber);

    /**
     * Takes over a failed reaction, to be repeated like a compensation.
     *
     * @param last whether the bus has used all attempts
     * @return true when the reaction is durably taken over: the bus is done with the event; false when the bus must
     *     keep retrying
     */
    CompletableFuture<Boolean> takeOver(CloudEvent event, String subscriber, Throwable failure, boolean last);
}
