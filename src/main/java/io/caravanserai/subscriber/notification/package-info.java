/**
 * Tells customers what becomes of their orders: hears events, keeps an outbox of messages, delivers them. Owns the table
 * notifications. Uses events, the bus and the store; knows no service.
 */
package io.caravanserai.subscriber.notification;
