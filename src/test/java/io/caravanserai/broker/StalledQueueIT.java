package io.caravanserai.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.config.HubSettings;
import io.caravanserai.jms.JmsReceiver;
import io.caravanserai.jms.ReceivedMessage;
import jakarta.jms.Connection;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.core.message.impl.CoreMessage;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A queue that holds messages and delivers none. */
class StalledQueueIT {
    @TempDir
    Path folder;

    private final BlockingQueue<String> received = new LinkedBlockingQueue<>();
    private JmsBroker broker;
    private JmsReceiver receiver;

    @BeforeEach
    void start() {
        broker = JmsBroker.start(new HubSettings.Jms(Optional.empty(), 0), folder, List.of());
        receiver = receiver();
    }

    private JmsReceiver receiver() {
        return new JmsReceiver(
                        "test",
                        broker,
                        10,
                        () -> true,
                        session ->
                                new JmsReceiver.Opened(session.createConsumer(session.createQueue("orders")), "orders"),
                        new JmsReceiver.Handler() {
                            @Override
                            public CompletableFuture<Void> handle(ReceivedMessage message) {
                                received.add(new String(message.body(), StandardCharsets.UTF_8));
                                return CompletableFuture.completedFuture(null);
                            }

                            @Override
                            public CompletableFuture<Void> setAside(ReceivedMessage message, Throwable failure) {
                                return CompletableFuture.completedFuture(null);
                            }
                        })
                .start();
    }

    @AfterEach
    void stop() {
        receiver.close();
        broker.close();
    }

    /**
     * A priority out of range damages the queue's message list. The guard of the hub's own connections would have
     * bounded the priority.
     */
    @Test
    void damagedQueueIsReportedAndRepairedByRestart() throws Exception {
        receiver.close();
        damage();
        receiver = receiver();
        send("next");

        await().until(() -> receiver.unavailableReason()
                .filter(it -> it.contains("delivers none"))
                .isPresent());
        await().until(() -> received.contains("next"));
        await().until(() -> receiver.unavailableReason().isEmpty()
                && broker.unavailableReason().isEmpty());
        send("last");
        await().until(() -> received.contains("last"));
    }

    @Test
    void pausedQueueIsReportedUntilResumed() throws Exception {
        broker.embedded().orElseThrow().artemis().locateQueue("orders").pause();
        send("waiting");

        await().until(() -> receiver.unavailableReason()
                .filter(it -> it.contains("delivers none"))
                .isPresent());
        assertThat(received).isEmpty();
        broker.embedded().orElseThrow().artemis().locateQueue("orders").resume();
        await().until(() -> received.contains("waiting"));
        await().until(() -> receiver.unavailableReason().isEmpty());
    }

    private void send(String text) throws Exception {
        try (Connection connection = broker.connect();
                Session session = connection.createSession();
                MessageProducer producer = session.createProducer(session.createQueue("orders"))) {
            producer.send(session.createTextMessage(text));
        }
    }

    /** Sends messages that break the consumer's connection, and the queue when the messages return there. */
    private void damage() throws Exception {
        var artemis = broker.embedded().orElseThrow().artemis();
        String url = "tcp://127.0.0.1:" + broker.embedded().orElseThrow().port() + "?reconnectAttempts=0";
        try (ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(url);
                Connection connection = factory.createConnection();
                Session session = connection.createSession()) {
            CountDownLatch broken = new CountDownLatch(1);
            connection.setExceptionListener(e -> broken.countDown());
            session.createConsumer(session.createQueue("orders"));
            connection.start();
            for (int i = 0; i < 5; i++) {
                CoreMessage message =
                        new CoreMessage(artemis.getStorageManager().generateID(), 100);
                message.setType(Message.TEXT_TYPE);
                message.setDurable(true);
                message.setAddress("orders");
                message.getBodyBuffer().writeNullableSimpleString(SimpleString.of("odd"));
                message.setPriority((byte) 77);
                artemis.getPostOffice().route(message, true);
            }
            await().until(() -> broken.getCount() == 0);
        }
    }
}
