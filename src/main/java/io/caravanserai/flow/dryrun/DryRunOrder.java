package io.caravanserai.flow.dryrun;

import java.util.Optional;
import java.util.Set;

/**
 * The state of the order in a dry run. The services of the hub drop a step that comes too late or too early, and report
 * the drop only to the flow. A dry run that counted a dropped step would show a payment that is never charged.
 */
final class DryRunOrder {
    /** Endpoints that take an order forward. */
    private static final Set<String> FORWARD =
            Set.of("reserve-items", "process-payment", "payment-captured", "payment-declined", "ship-order");

    private static final Set<String> BACKWARDS = Set.of("refund-payment", "release-items", "cancel-order", "give-up");

    private boolean paid;
    private boolean shipped;
    private boolean turnedBack;

    /** Returns why a service drops the call; empty when the service accepts the call. */
    Optional<String> dropped(String endpoint) {
        if (shipped && (BACKWARDS.contains(endpoint) || FORWARD.contains(endpoint) && !endpoint.equals("ship-order"))) {
            return Optional.of("the order is shipped");
        }
        if (turnedBack && FORWARD.contains(endpoint)) {
            return Optional.of("the order turns back");
        }
        return endpoint.equals("ship-order") && !paid ? Optional.of("the order is not paid") : Optional.empty();
    }

    /** Records a call that was not dropped. */
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
