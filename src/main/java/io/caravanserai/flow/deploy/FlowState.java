package io.caravanserai.flow.deploy;

import java.time.Instant;
import java.util.List;

/**
 * The state of a flow.
 * @param version the newest version, for new orders; null when the file is deleted while old versions still have
 *     orders, and when no text was ever accepted
 * @param versions the running versions, newest first
 * @param refused refusal of the current file; null without a refusal
 */
public record FlowState(String file, String flow, Integer version, List<Running> versions, Refusal refused) {

    /**
     * A version with running routes.
     * @param orders number of unfinished orders of the version
     * @param inFlight number of messages in the routes of the version in this hub
     */
    public record Running(
            int version, String hash, Instant at, String who, boolean newest, long orders, int inFlight) {}
}
