package io.caravanserai.service.shipping;

import java.time.Instant;

/** A shipped order. */
public record Shipment(String trackingNumber, String orderId, String country, Instant createdAt) {}
