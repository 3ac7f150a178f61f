package io.caravanserai.service.order;

import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.OrderStyle;

/**
 * Selects orders to list, newest first; null means any.
 * @param before only orders with a sequence below this sequence
 * @param limit maximum number of orders
 */
public record OrderFilter(OrderStatus status, OrderStyle style, String customerId, Long before, int limit) {}
