package io.caravanserai.flow.deploy;

import java.time.Instant;
import java.util.List;

/**
 * How a flow stands.
 *
 * @param version the newest, which new orders take; null when the file is gone and old versions still carry orders, or
 *     when it never was accepted
 * @param versions those that run, newest first
 * @param refused the refusal of what the folder holds now; null when there is none
 */
public record FlowState(String file, String flow, Integer version, List<Running> versions, Refusal refused) {

    /**
     * A version whose routes run.
     *
     * @param orders how many orders that have not ended began under it
     * @param inFlight messages on their way through its routes in this hub
     */
    public record Running(
            int version, String hash, Instant at, String who, boolean newest, long orders, int inFlight) {}
}
