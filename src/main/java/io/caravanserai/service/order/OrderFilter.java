package io.caravanserai.service.order;

import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.OrderStyle;

/**
 * Which orders to list, newest first; null means any.
 *
 * @param before only orders with a sequence below this one
 * @param limit how many at most
 */
public record OrderFilter(OrderStatus status, OrderStyle style, String customerId, Long before, int limit) {}
