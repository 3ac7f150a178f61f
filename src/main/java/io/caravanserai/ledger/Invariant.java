package io.caravanserai.ledger;

import java.util.Locale;

/** A law that holds for all orders that have ended. */
public enum Invariant {
    /** A shipped order has one captured payment of its total, a cancelled one has none. */
    MONEY("each shipped order is paid, and nothing else is kept"),
    /** What is reserved in stock belongs to orders under way. */
    STOCK("what is reserved belongs to orders under way"),
    /** A cancelled order keeps no payment, and no shipped one is refunded. */
    REFUNDS("no cancelled order keeps its payment, no shipped one is refunded"),
    /** Shipments and shipped orders are the same. */
    SHIPMENTS("each shipped order has its shipment, and no other has one"),
    /** No step waits for the answer of an outside service that may have done it. */
    IN_DOUBT("no step is in doubt");

    private final String meaning;

    Invariant(String meaning) {
        this.meaning = meaning;
    }

    /** The name in answers and meters, such as {@code in-doubt}. */
    public String wire() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** What holds while nothing violates it, for people. */
    String meaning() {
        return meaning;
    }
}
