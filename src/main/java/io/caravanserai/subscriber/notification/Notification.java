package io.caravanserai.subscriber.notification;

import io.caravanserai.event.EventType;
import java.time.Instant;

/**
 * A message to a customer.
 *
 * @param id of the event it is about
 * @param customerId null when that is not known
 */
public record Notification(String id, String orderId, String customerId, EventType type, String text, Instant at) {}
