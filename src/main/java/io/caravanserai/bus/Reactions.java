package io.caravanserai.bus;

import io.caravanserai.event.CloudEvent;
import java.util.concurrent.CompletableFuture;

/**
 * Keeps account of what flows do about the failure of an order that no saga looks after. Found in the registry under the
 * name {@code reactions}. Thread-safe.
 */
public interface Reactions {

    /** Records that a subscriber has handled an event of such an order; completes once that is durable. */
    CompletableFuture<Void> done(CloudEvent event, String subscriber);

    /** Whether a subscriber has handled an event of such an order, or a saga repeats what failed: then it is done with. */
    CompletableFuture<Boolean> isSeenTo(CloudEvent event, String subscriber);

    /**
     * Takes a reaction over that failed, to be repeated as a compensation is.
     *
     * @param last whether the bus has used all its own attempts
     * @return true, once that is durable, when the bus is done with the event; false when the bus is to go on trying
     */
    CompletableFuture<Boolean> takeOver(CloudEvent event, String subscriber, Throwable failure, boolean last);
}
