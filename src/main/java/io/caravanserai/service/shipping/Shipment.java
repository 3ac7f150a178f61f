package io.caravanserai.service.shipping;

import java.time.Instant;

/** An order on its way. */
public record Shipment(String trackingNumber, String orderId, String country, Instant createdAt) {}
