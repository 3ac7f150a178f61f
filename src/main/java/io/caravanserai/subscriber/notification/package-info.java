/**
 * Notifies customers about orders: consumes events, keeps an outbox of messages, delivers messages. Owns the table
 * notifications. Uses events, the bus and the store; knows no service.
 */
package io.caravanserai.subscriber.notification;
