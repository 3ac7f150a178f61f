package io.caravanserai.outside;

import io.caravanserai.order.Reason;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What the hub knows of the orders that calls are made for, and what it records of the calls. Thread-safe. */
public interface CallRules {

    /** How it stands with the order or saga of a call. */
    enum Standing {
        /** It goes forward, or has ended well. */
        FORWARD,
        /** It is to be undone, or has been. */
        TURNED_BACK,
        /** The hub knows neither the order nor the saga. */
        UNKNOWN
    }

    /** The standings of calls that wait, in their order. */
    CompletableFuture<List<Standing>> standings(List<Call> calls);

    /**
     * Asked right before an attempt is sent. Records that the attempt before failed.
     *
     * @param attempt from 1
     * @param lastFailure why the attempt before failed; null at the first
     */
    CompletableFuture<Standing> begin(Call call, int attempt, String lastFailure);

    /** Records that the service has done it. */
    CompletableFuture<Void> done(Call call, int attempt);

    /** Records that the service has refused it, which turns the order back; completes with the reason. */
    CompletableFuture<Reason> refused(Call call, int attempt, CallResult.Refused refusal);

    /** Knows nothing and records nothing, as in a Camel application without the hub. */
    CallRules NONE = new CallRules() {
        @Override
        public CompletableFuture<List<Standing>> standings(List<Call> calls) {
            return CompletableFuture.completedFuture(
                    calls.stream().map(call -> Standing.UNKNOWN).toList());
        }

        @Override
        public CompletableFuture<Standing> begin(Call call, int attempt, String lastFailure) {
            return CompletableFuture.completedFuture(Standing.UNKNOWN);
        }

        @Override
        public CompletableFuture<Void> done(Call call, int attempt) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Reason> refused(Call call, int attempt, CallResult.Refused refusal) {
            return CompletableFuture.completedFuture(Reason.SERVICE_UNAVAILABLE);
        }
    };
}
