package io.caravanserai.flow.dryrun;

import java.util.Optional;
import java.util.Set;

/**
 * How far the order of a rehearsal has come. The services of the hub drop what comes too late or too early, and tell
 * nobody but the flow: a rehearsal that counted such a step would claim a payment that is never taken.
 */
final class DryRunOrder {
    /** Endpoints that take an order further. */
    private static final Set<String> FORWARD =
            Set.of("reserve-items", "process-payment", "payment-captured", "payment-declined", "ship-order");

    private static final Set<String> BACKWARDS = Set.of("refund-payment", "release-items", "cancel-order", "give-up");

    private boolean paid;
    private boolean shipped;
    private boolean turnedBack;

    /** Why a service drops what it is asked for; empty when it does it. */
    Optional<String> dropped(String endpoint) {
        if (shipped && (BACKWARDS.contains(endpoint) || FORWARD.contains(endpoint) && !endpoint.equals("ship-order"))) {
            return Optional.of("the order is shipped");
        }
        if (turnedBack && FORWARD.contains(endpoint)) {
            return Optional.of("the order turns back");
        }
        return endpoint.equals("ship-order") && !paid ? Optional.of("the order is not paid") : Optional.empty();
    }

    /** An endpoint was asked and did not drop it. */
    void served(String endpoint, boolean refused) {
        if (refused || endpoint.equals("give-up") || endpoint.equals("cancel-order")) {
            turnedBack = true;
        } else if (endpoint.equals("process-payment") || endpoint.equals("payment-captured")) {
            paid = true;
        } else if (endpoint.equals("ship-order")) {
            shipped = true;
        }
    }
}
