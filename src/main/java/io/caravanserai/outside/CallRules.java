package io.caravanserai.outside;

import io.caravanserai.order.Reason;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Reads the state of the orders behind calls, and records calls. Thread-safe. */
public interface CallRules {

    /** The state of the order or saga of a call. */
    enum Standing {
        /** The order goes forward or was completed. */
        FORWARD,
        /** The order is being cancelled or was cancelled. */
        TURNED_BACK,
        /** The hub knows neither the order nor the saga. */
        UNKNOWN
    }

    /** Returns the states of waiting calls, in the order of the list. */
    CompletableFuture<List<Standing>> standings(List<Call> calls);

    /**
     * Called directly before an attempt is sent. Records the failure of the attempt before.
     * @param attempt from 1
     * @param lastFailure why the attempt before failed; null at the first attempt
     */
    CompletableFuture<Standing> begin(Call call, int attempt, String lastFailure);

    /** Records that the service has done the call. */
    CompletableFuture<Void> done(Call call, int attempt);

    /**
     * Records that the service has refused the call, which starts the compensation of the order. Completes with the
     * reason.
     */
    CompletableFuture<Reason> refused(Call call, int attempt, CallResult.Refused refusal);

    /** Knows no order and records nothing, for a Camel application without the hub. */
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
