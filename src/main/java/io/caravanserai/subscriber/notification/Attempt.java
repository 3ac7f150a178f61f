package io.caravanserai.subscriber.notification;

/** What became of a message that was to be delivered. */
public sealed interface Attempt {
    Notification notification();

    /** It has been handed over. */
    record Delivered(Notification notification) implements Attempt {}

    /** It cannot be delivered now; this says nothing of others. */
    record Postponed(Notification notification, String why) implements Attempt {}

    /** It will never be taken as it is. */
    record Refused(Notification notification, String why) implements Attempt {}
}
