package io.caravanserai.subscriber.notification;

import java.io.IOException;
import java.util.List;

/** Takes messages to customers. */
@FunctionalInterface
public interface NotificationSender {

    /**
     * Delivers what it can. May block.
     *
     * @return what became of those it tried; the others are handed to it again soon
     * @throws IOException when nothing can be delivered at present; some may then be delivered again
     */
    List<Attempt> deliver(List<Notification> notifications) throws IOException;

    /** How many it is handed at once at most: so many may come twice after a crash. */
    default int atOnce() {
        return 500;
    }
}
