package io.caravanserai.saga;

import org.apache.camel.Exchange;

/**
 * Where an exchange failed. Whoever runs the routes notes it on the exchange; Camel keeps the route only.
 *
 * @param failure the exception of the failed node; the place of another exception is not known
 * @param step the name of the failed step; null when the route names it best
 */
public record FailurePlace(Throwable failure, String step) {
    private static final String PROPERTY = "CaravanseraiFailurePlace";

    /** Whether the failure of the exchange has its place already, which an inner node noted. */
    public static boolean isNoted(Exchange exchange, Throwable failure) {
        return of(exchange, failure) != null;
    }

    public void note(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
    }

    /** The name of the step that failed; null when the route names it best or the place is not known. */
    public static String stepOf(Exchange exchange, Throwable failure) {
        FailurePlace place = of(exchange, failure);
        return place == null ? null : place.step();
    }

    private static FailurePlace of(Exchange exchange, Throwable failure) {
        FailurePlace place = exchange.getProperty(PROPERTY, FailurePlace.class);
        return place != null && place.failure() == failure ? place : null;
    }
}
