package io.caravanserai.service.order;

import io.caravanserai.order.OrderStatus;
import io.caravanserai.order.Style;

/**
 * Which orders to list, newest first; null means any.
 *
 * @param before only orders with a sequence below this one
 * @param limit how many at most
 */
public record OrderFilter(OrderStatus status, Style style, String customerId, Long before, int limit) {}
