package io.caravanserai.subscriber.notification;

/** The result of a delivery attempt. */
public sealed interface Attempt {
    Notification notification();

    /** The message was handed over. */
    record Delivered(Notification notification) implements Attempt {}

    /** The message cannot be delivered now. Other messages may still be deliverable. */
    record Postponed(Notification notification, String why) implements Attempt {}

    /** The message will never be accepted. */
    record Refused(Notification notification, String why) implements Attempt {}
}
