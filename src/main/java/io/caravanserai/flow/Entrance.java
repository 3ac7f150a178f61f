package io.caravanserai.flow;

/**
 * Where orders enter one version of a flow.
 *
 * @param version to be stored with an order, which then travels and is recovered under it
 * @param hasSaga whether the flow has a saga that keeps its compensations
 * @param uri the Camel endpoint, such as {@code direct:order-queue@7}
 */
public record Entrance(String flow, int version, boolean hasSaga, String uri) {}
