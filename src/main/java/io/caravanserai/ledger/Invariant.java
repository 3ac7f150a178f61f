package io.caravanserai.ledger;

import java.util.Locale;

/** An invariant over all orders that have ended. */
public enum Invariant {
    /** A shipped order has one captured payment of the order total; a cancelled order has none. */
    MONEY("each shipped order is paid, and nothing else is kept"),
    /** Reserved stock belongs to orders in flight. */
    STOCK("what is reserved belongs to orders under way"),
    /** A cancelled order keeps no payment, and no shipped order is refunded. */
    REFUNDS("no cancelled order keeps its payment, no shipped one is refunded"),
    /** Every shipped order has a shipment, and every shipment has a shipped order. */
    SHIPMENTS("each shipped order has its shipment, and no other has one"),
    /** No step waits for an outside service that may have executed the call. */
    IN_DOUBT("no step is in doubt");

    private final String meaning;

    Invariant(String meaning) {
        this.meaning = meaning;
    }

    /** The name in API responses and meters, for example {@code in-doubt}. */
    public String wire() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The statement that holds while no order violates the invariant, as readable text. */
    String meaning() {
        return meaning;
    }
}
