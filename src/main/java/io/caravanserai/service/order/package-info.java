/**
 * Keeps the orders: accepts them, follows their events, says what became of them. Owns the table orders, whose row is
 * where it is decided, once, whether an order goes on or back.
 */
package io.caravanserai.service.order;
