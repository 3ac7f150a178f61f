package io.caravanserai.subscriber.notification;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.order.OrderJson;
import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes messages to the log and, as one JSON object a line, to a file. */
public final class FileNotificationSender implements NotificationSender {
    private static final Logger LOG = LoggerFactory.getLogger(FileNotificationSender.class);

    private final Path file;

    public FileNotificationSender(Path file) {
        this.file = file;
    }

    @Override
    public List<Attempt> deliver(List<Notification> notifications) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Notification each : notifications) {
            ObjectNode line = OrderJson.MAPPER
                    .createObjectNode()
                    .put("id", each.id())
                    .put("at", CloudEvent.time(each.at()))
                    .put("customerId", each.customerId())
                    .put("orderId", each.orderId())
                    .put("type", each.type().name())
                    .put("text", each.text());
            lines.append(line).append('\n');
            LOG.atDebug()
                    .addKeyValue("orderId", each.orderId())
                    .addKeyValue("customerId", each.customerId())
                    .log("customer told");
        }
        PrivateFiles.createFile(file);
        Files.writeString(file, lines, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return notifications.stream().<Attempt>map(Attempt.Delivered::new).toList();
    }
}
