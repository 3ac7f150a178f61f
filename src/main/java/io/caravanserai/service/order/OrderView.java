package io.caravanserai.service.order;

import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Reason;
import java.math.BigDecimal;
import java.time.Instant;

/**
 * The current state of an order.
 * @param reason null unless the order is being cancelled or is cancelled
 * @param sagaId null in the choreography style
 * @param paymentId null until the order is paid
 * @param trackingNumber null until the order is shipped
 */
public record OrderView(
        String orderId,
        String customerId,
        OrderStatus status,
        Reason reason,
        OrderStyle style,
        String flow,
        int flowVersion,
        String sagaId,
        BigDecimal total,
        String currency,
        String paymentId,
        String trackingNumber,
        Instant createdAt,
        Instant updatedAt,
        long sequence) {}
