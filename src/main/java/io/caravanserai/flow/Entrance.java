package io.caravanserai.flow;

/**
 * The entry endpoint of a flow version.
 * @param version stored with an order; the order runs and is recovered in this version
 * @param hasSaga whether the flow has a saga that records the compensations
 * @param uri the Camel endpoint, for example {@code direct:order-queue@7}
 */
public record Entrance(String flow, int version, boolean hasSaga, String uri) {}
