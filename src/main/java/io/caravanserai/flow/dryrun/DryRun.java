package io.caravanserai.flow.dryrun;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Runs past orders through a flow without effects: services answer as recorded in the order history, and messages to
 * the outside are recorded instead of sent.
 */
public interface DryRun {

    /**
     * A past order.
     * @param body the order as passed to the flow
     * @param refusals refused steps with the reason; all other steps were done
     */
    record Sample(String orderId, String body, Map<String, String> refusals) {}

    /** Returns the exception of a service that refuses, so that the dry run covers the error handling of the flow. */
    RuntimeException refusal(String reason);

    /** Returns the exception of a service when the order has ended or is being cancelled. */
    RuntimeException closed(String orderId, String endpoint);

    /** Returns the event that follows the answer of an endpoint; empty without an event. */
    Optional<String> event(String endpoint, boolean refused);

    /**
     * The traces of a sample under two texts.
     * @param before under the running version; null without a running version
     */
    record Comparison(String orderId, Trace before, Trace after) {
        public boolean isSame() {
            return after.equals(before);
        }
    }

    /** The results for all samples. */
    record Report(List<Comparison> orders) {

        /** @param before the traces under the text that runs; empty when none does */
        public static Report of(List<Sample> samples, List<Trace> before, List<Trace> after) {
            return new Report(IntStream.range(0, samples.size())
                    .mapToObj(i -> new Comparison(
                            samples.get(i).orderId(), before.isEmpty() ? null : before.get(i), after.get(i)))
                    .toList());
        }
    }
}
