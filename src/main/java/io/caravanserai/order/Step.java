package io.caravanserai.order;

import java.util.Optional;

/** A local transaction of an order's saga, with the compensation that undoes it. */
public enum Step {
    CREATE_ORDER("create-order", "cancel-order"),
    RESERVE_ITEMS("reserve-items", "release-items"),
    PROCESS_PAYMENT("process-payment", "refund-payment"),
    /** Last, so it has no compensation. */
    SHIP_ORDER("ship-order", null);

    private final String action;
    private final String compensation;

    Step(String action, String compensation) {
        this.action = action;
        this.compensation = compensation;
    }

    /** The name of the action in an order's history. The service endpoint is {@code direct:} plus this name. */
    public String action() {
        return action;
    }

    /** The name of the compensation; empty for the last step. */
    public Optional<String> compensation() {
        return Optional.ofNullable(compensation);
    }
}
