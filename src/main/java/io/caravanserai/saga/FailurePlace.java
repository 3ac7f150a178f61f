package io.caravanserai.saga;

import org.apache.camel.Exchange;

/**
 * The failed node of an exchange. The runner of the routes attaches this record to the exchange; Camel itself keeps
 * only the route.
 *
 * @param failure the exception of the failed node; other exceptions have no known place
 * @param step the name of the failed step; null when the route name is the best name
 */
public record FailurePlace(Throwable failure, String step) {
    private static final String PROPERTY = "CaravanseraiFailurePlace";

    /** Whether an inner node has already recorded the place of this failure. */
    public static boolean isNoted(Exchange exchange, Throwable failure) {
        return of(exchange, failure) != null;
    }

    public void note(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
    }

    /** The name of the failed step; null when the place is unknown or the route name is the best name. */
    public static String stepOf(Exchange exchange, Throwable failure) {
        FailurePlace place = of(exchange, failure);
        return place == null ? null : place.step();
    }

    private static FailurePlace of(Exchange exchange, Throwable failure) {
        FailurePlace place = exchange.getProperty(PROPERTY, FailurePlace.class);
        return place != null && place.failure() == failure ? place : null;
    }
}
