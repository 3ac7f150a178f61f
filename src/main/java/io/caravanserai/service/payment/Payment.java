package io.caravanserai.service.payment;

import java.math.BigDecimal;
import java.time.Instant;

/**
 * Money charged for an order.
 * @param status CAPTURED or REFUNDED
 */
public record Payment(
        String paymentId,
        String orderId,
        String status,
        BigDecimal amount,
        String currency,
        Instant createdAt,
        Instant updatedAt) {}
