package io.caravanserai.subscriber.notification;

import java.io.IOException;
import java.util.List;

/** Delivers messages to customers. */
@FunctionalInterface
public interface NotificationSender {

    /**
     * Delivers messages. May block.
     * @return results of the attempted messages; the other messages are passed again soon
     * @throws IOException when no message can be delivered at present; some messages may then be delivered again
     */
    List<Attempt> deliver(List<Notification> notifications) throws IOException;

    /** Maximum number of messages in a call. After a crash up to this number may be delivered twice. */
    default int atOnce() {
        return 500;
    }
}
