package io.caravanserai.flow.dryrun;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A flow tried with orders of the past while nothing of it is real: services answer as they did then, and what would
 * leave the hub is written down instead.
 */
public interface DryRun {

    /**
     * An order of the past.
     *
     * @param body as the flow was given it
     * @param refusals the steps that were refused, each with the reason; others were done
     */
    record Sample(String orderId, String body, Map<String, String> refusals) {}

    /** What a service throws when it refuses, so that the flow's own handling of it is tried too. */
    RuntimeException refusal(String reason);

    /** What a service throws when an order has ended, or turned back, before it was asked. */
    RuntimeException closed(String orderId, String endpoint);

    /** The event that follows from an endpoint's answer; empty when there is none. */
    Optional<String> event(String endpoint, boolean refused);

    /**
     * What became of a sample under two texts.
     *
     * @param before under the text that runs; null when none does
     */
    record Comparison(String orderId, Trace before, Trace after) {
        public boolean isSame() {
            return after.equals(before);
        }
    }

    /** The results for all samples. */
    record Report(List<Comparison> orders) {}
}
