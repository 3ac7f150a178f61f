package io.caravanserai.subscriber.notification;

import java.io.IOException;
import java.util.List;

/** Takes messages to customers. */
@FunctionalInterface
public interface Carrier {

    /** Delivers all of them, or throws; some may then be delivered again. May block. */
    void deliver(List<Notification> notifications) throws IOException;
}
