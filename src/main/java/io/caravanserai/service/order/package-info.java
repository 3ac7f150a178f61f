/**
 * Keeps the orders: accepts orders, applies events, reads states and histories. Owns the table orders. The row of an
 * order decides, once, whether the order goes forward or back.
 */
package io.caravanserai.service.order;
