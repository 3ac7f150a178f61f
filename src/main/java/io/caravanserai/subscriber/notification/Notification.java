package io.caravanserai.subscriber.notification;

import io.caravanserai.event.EventType;
import java.time.Instant;

/**
 * A message to a customer.
 * @param id id of the event
 * @param customerId null when unknown
 */
public record Notification(String id, String orderId, String customerId, EventType type, String text, Instant at) {}
