package io.caravanserai.jms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravanserai.app.FreePort;
import io.caravanserai.broker.ArtemisProcess;
import io.caravanserai.broker.JmsBroker;
import io.caravanserai.config.HubSettings;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.deadletter.Replays;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.store.StoreUnavailableException;
import io.caravanserai.support.Ids;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MessageConsumer;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.Topic;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Messages that an external broker gave up, with the settings from {@code artemis create}. */
class OutsideDeadLettersIT {
    private static final long TIMEOUT_MILLIS = 60_000;
    /** Artemis' default of delivery attempts before a message is given up. */
    private static final int MAX_DELIVERY_ATTEMPTS = 10;

    @TempDir
    private Path folder;

    private int port;
    private ArtemisProcess process;
    private JmsBroker broker;
    private Store store;
    private DeadLetters letters;
    private BrokerDlqSynchronizer watch;

    @BeforeEach
    void start() throws Exception {
        port = FreePort.take();
        process = ArtemisProcess.start(folder.resolve("broker"), port);
        store = SqliteStore.open(folder);
        letters = new DeadLetters(store, new Ids(), Clock.systemUTC());
        broker = JmsBroker.start(new HubSettings.Jms(Optional.of("tcp://127.0.0.1:" + port), 0), folder, List.of());
        watch = new BrokerDlqSynchronizer(broker, letters).start();
    }

    @AfterEach
    void stop() {
        watch.close();
        broker.close();
        store.close();
        process.close();
    }

    private Connection connection() throws JMSException {
        Connection connection = new ActiveMQConnectionFactory("tcp://127.0.0.1:" + port).createConnection();
        connection.start();
        return connection;
    }

    private static void giveUp(Session session, MessageConsumer... consumers) throws JMSException {
        for (int attempt = 0; attempt < MAX_DELIVERY_ATTEMPTS; attempt++) {
            for (MessageConsumer consumer : consumers) {
                assertThat(consumer.receive(TIMEOUT_MILLIS)).isNotNull();
            }
            session.rollback();
        }
    }

    private Optional<DeadLetter> letter(String source) {
        return waiting().stream().filter(each -> each.source().equals(source)).findFirst();
    }

    private List<DeadLetter> waiting() {
        return letters.list(DeadLetters.Filter.ALL, null, 100).join();
    }

    private int deadLettersOfBroker() throws JMSException {
        try (Connection connection = connection();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
                QueueBrowser browser = session.createBrowser(session.createQueue("DLQ"))) {
            return Collections.list((Enumeration<?>) browser.getEnumeration()).size();
        }
    }

    @Test
    void deadLetterThatFailsAgainIsRemovedFromBrokerOnSecondReplay() throws Exception {
        try (Connection connection = connection()) {
            Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
            session.createProducer(session.createQueue("commands")).send(session.createTextMessage("pay!"));
            session.commit();
            MessageConsumer consumer = session.createConsumer(session.createQueue("commands"));
            giveUp(session, consumer);
            await().until(() -> waiting().size() == 1);
            String id = waiting().get(0).id();
            assertThat(letters.replay(id).join()).contains(true);
            giveUp(session, consumer);
            await().until(() -> waiting().size() == 1);
            assertThat(waiting().get(0).id()).isEqualTo(id);

            assertThat(letters.replay(id).join()).contains(true);

            assertThat(consumer.receive(TIMEOUT_MILLIS)).isNotNull();
            session.commit();
            assertThat(deadLettersOfBroker()).isZero();
        }
    }

    @Test
    void eachSubscriptionThatGivesUpAnEventHasOwnDeadLetter() throws Exception {
        try (Connection connection = connection()) {
            Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
            Topic topic = session.createTopic("events");
            MessageConsumer one = session.createSharedDurableConsumer(topic, "one");
            MessageConsumer two = session.createSharedDurableConsumer(topic, "two");
            session.createProducer(topic).send(session.createTextMessage("event"));
            session.commit();
            giveUp(session, one, two);
            String ofOne = await().until(() -> letter("one"), Optional::isPresent)
                    .orElseThrow()
                    .id();
            String ofTwo = await().until(() -> letter("two"), Optional::isPresent)
                    .orElseThrow()
                    .id();

            assertThat(letters.delete(ofTwo).join()).isTrue();
            assertThat(letters.replay(ofOne).join()).contains(true);

            assertThat(one.receive(TIMEOUT_MILLIS)).isNotNull();
            assertThat(two.receiveNoWait()).isNull();
            session.commit();
            assertThat(deadLettersOfBroker()).isZero();
        }
    }

    @Test
    void newBrokerWithSameMessageNumbersHasOwnDeadLetters() throws Exception {
        send("of the first broker");
        await().until(() -> waiting().size() == 1);

        process.close();
        process = ArtemisProcess.start(folder.resolve("another"), port);
        send("of the second broker");

        await().untilAsserted(() -> assertThat(waiting())
                .extracting(DeadLetter::body)
                .containsExactly("of the second broker", "of the first broker"));
    }

    @Test
    void deadLetterFoundAgainDuringReplayIsSentOnce() throws Exception {
        send("once");
        DeadLetter letter =
                await().until(this::waiting, found -> found.size() == 1).get(0);
        watch.close();
        // As in a hub that read the queue shortly before another hub removed the message.
        DeadLetter.Failed found = new DeadLetter.Failed(
                letter.origin(),
                letter.channel(),
                letter.source(),
                null,
                letter.reason(),
                letter.error(),
                letter.headers(),
                letter.body(),
                false);
        letters.replayedBy(
                letter.channel(),
                replayed -> letters.addFound(found, "JMSMessageID").thenAccept(id -> {}));

        assertThat(letters.replay(letter.id()).join()).contains(true);
        letters.addFound(found, "JMSMessageID").join();

        assertThat(waiting()).isEmpty();
    }

    @Test
    void replayWaitsForUnavailableBrokerAndContinuesInOrder() throws Exception {
        List<String> sent = List.of("1", "2", "3");
        for (String text : sent) {
            send(text);
        }
        await().until(() -> waiting().size() == sent.size());
        store.write("test", "test", tx -> tx.update("UPDATE dead_letters SET source = 'back'"))
                .join();
        String oldest = waiting().get(sent.size() - 1).id();
        process.kill();
        try (Replays replays = new Replays(store, letters, new Ids(), Clock.systemUTC())) {
            assertThatThrownBy(() -> letters.replay(oldest).join()).hasCauseInstanceOf(StoreUnavailableException.class);

            String replay = replays.begin(
                            new Replays.Request(DeadLetters.Filter.ALL, null, BigDecimal.valueOf(10_000), 1))
                    .join()
                    .id();
            await().during(Duration.ofSeconds(3))
                    .until(() -> replays.progress(replay).join().orElseThrow().remaining() == sent.size());
            process = ArtemisProcess.start(folder.resolve("broker"), port);
            await().until(() -> replays.progress(replay).join().orElseThrow().replayed() == sent.size());
        }

        assertThat(letters.get(oldest).join().orElseThrow().replays()).isEqualTo(1);
        try (Connection connection = connection()) {
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            MessageConsumer consumer = session.createConsumer(session.createQueue("back"));
            for (String text : sent) {
                assertThat(consumer.receive(TIMEOUT_MILLIS).getBody(String.class))
                        .isEqualTo(text);
            }
            assertThat(consumer.receiveNoWait()).isNull();
        }
    }

    private void send(String text) throws JMSException {
        try (Connection connection = connection();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE)) {
            session.createProducer(session.createQueue("DLQ")).send(session.createTextMessage(text));
        }
    }
}
