package io.caravanserai.jms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.config.HubSettings;
import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Role;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.support.Ids;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BrokerDlqSynchronizerIT {
    @TempDir
    private Path folder;

    private JmsBroker broker;
    private Store store;
    private DeadLetters letters;
    private BrokerDlqSynchronizer watch;

    @BeforeEach
    void start() throws Exception {
        broker = JmsBroker.start(
                new HubSettings.Jms(Optional.empty(), 0),
                folder.resolve("broker"),
                List.of(
                        new ApiKey("olga", Role.OPERATOR, sha256("olgas-key")),
                        new ApiKey("sam", Role.SENDER, sha256("sams-key"))));
        store = SqliteStore.open(folder);
        letters = new DeadLetters(store, new Ids(), Clock.systemUTC());
        watch = new BrokerDlqSynchronizer(broker, letters).start();
    }

    @AfterEach
    void stop() {
        watch.close();
        store.close();
        broker.close();
    }

    @Test
    void messageGivenUpByBrokerIsListedAndReplayedToSourceQueue() throws Exception {
        try (Connection connection = login("olga", "olgas-key")) {
            Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
            connection.start();
            TextMessage command = session.createTextMessage("pay!");
            command.setStringProperty("orderId", "order-a");
            session.createProducer(session.createQueue("commands")).send(command);
            session.commit();
            MessageConsumer consumer = session.createConsumer(session.createQueue("commands"));
            for (int attempt = 0; attempt < 6; attempt++) {
                assertThat(consumer.receive(60_000)).isNotNull();
                session.rollback();
            }

            DeadLetter letter = onlyLetter();

            assertThat(letter.source()).isEqualTo("commands");
            assertThat(letter.reason()).isEqualTo("delivery-failed");
            assertThat(letter.body()).isEqualTo("pay!");
            assertThat(letters.replay(letter.id()).join()).contains(true);
            Message again = consumer.receive(60_000);
            assertThat(again.getStringProperty("orderId")).isEqualTo("order-a");
            assertThat(((TextMessage) again).getText()).isEqualTo("pay!");
            session.commit();
            assertThat(broker.embedded().orElseThrow().depth("DLQ")).isZero();
            assertThat(letters.list(DeadLetters.Filter.ALL, null, 10).join()).isEmpty();
        }
    }

    @Test
    void messageWithDuplicateIdMayBecomeDeadLetterTwice() throws Exception {
        try (JmsDeadLetters sink = new JmsDeadLetters(letters, broker)) {
            DeadLetter.Failed once = new DeadLetter.Failed(
                    "once", "test", "orders", null, "invalid-json", "no", Map.of("_AMQ_DUPL_ID", "once"), "{", false);

            String id = sink.add(once).join();

            // As after a crash before the acknowledgement.
            assertThat(sink.add(once).join()).isEqualTo(id);
        }
    }

    @Test
    void deadLetterReplayedTwiceIsSentOnce() throws Exception {
        try (Connection connection = login("olga", "olgas-key")) {
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            connection.start();
            MessageConsumer consumer = session.createConsumer(session.createQueue("DLQ.test"));
            session.createProducer(session.createQueue("DLQ")).send(session.createTextMessage("once"));
            String id = onlyLetter().id();
            store.write("test", id, tx -> tx.update("UPDATE dead_letters SET source = 'DLQ.test' WHERE id = ?", id))
                    .join();

            assertThat(letters.replay(id).join()).contains(true);
            // As after a crash before the replay was recorded.
            store.write("test", id, tx -> tx.update("UPDATE dead_letters SET settled_at = NULL WHERE id = ?", id))
                    .join();
            assertThat(letters.replay(id).join()).contains(true);

            assertThat(consumer.receive(60_000)).isNotNull();
            assertThat(consumer.receive(500)).isNull();
            assertThat(letters.list(DeadLetters.Filter.ALL, null, 10).join()).isEmpty();
        }
    }

    @Test
    void deletedDeadLetterIsRemovedFromBrokerQueue() throws Exception {
        try (Connection connection = login("olga", "olgas-key")) {
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            session.createProducer(session.createQueue("DLQ")).send(session.createTextMessage("deleted"));
            String deleted = onlyLetter().id();

            assertThat(letters.delete(deleted).join()).isTrue();

            assertThat(broker.embedded().orElseThrow().depth("DLQ")).isZero();
            watch.close();
            watch = new BrokerDlqSynchronizer(broker, letters).start();
            session.createProducer(session.createQueue("DLQ")).send(session.createTextMessage("after the next start"));
            assertThat(onlyLetter().body()).isEqualTo("after the next start");
        }
    }

    private static String migration(String file) throws IOException {
        try (InputStream text = SqliteStore.class.getResourceAsStream("/db/" + file)) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void deadLetterListedUnderEarlierSchemaIsNotListedAgain() throws Exception {
        try (Connection connection = login("olga", "olgas-key")) {
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            session.createProducer(session.createQueue("DLQ")).send(session.createTextMessage("listed before"));
            DeadLetter letter = onlyLetter();
            watch.close();
            sql("UPDATE dead_letters SET origin = '" + letter.origin().replaceFirst(":ID:.*", "") + "'");
            sql(migration("V14__dead_letter_origins.sql"));

            letters = new DeadLetters(store, new Ids(), Clock.systemUTC());
            watch = new BrokerDlqSynchronizer(broker, letters).start();
            session.createProducer(session.createQueue("DLQ")).send(session.createTextMessage("after"));

            await().until(this::bodies, found -> found.contains("after"));
            assertThat(bodies()).containsExactly("after", "listed before");
            assertThat(letters.get(letter.id()).join()).contains(letter);
        }
    }

    private void sql(String statement) {
        store.write("test", "test", tx -> tx.update(statement)).join();
    }

    private List<String> bodies() {
        return letters.list(DeadLetters.Filter.ALL, null, 10).join().stream()
                .map(DeadLetter::body)
                .toList();
    }

    @Test
    void copyIsRemovedFromBrokerQueueOnceDeadLetterIsSettledOrDeleted() throws Exception {
        try (JmsDeadLetters sink = new JmsDeadLetters(letters, broker)) {
            letters.replayedBy(
                    "test",
                    letter -> letter.origin().equals("fails")
                            ? CompletableFuture.failedFuture(new IllegalStateException("again"))
                            : CompletableFuture.completedFuture(null));
            String settled = sink.add(failed("settled")).join();
            String deleted = sink.add(failed("deleted")).join();
            String failsAgain = sink.add(failed("fails")).join();
            watch.close();

            assertThat(letters.replay(settled).join()).contains(true);
            assertThat(letters.delete(deleted).join()).isTrue();
            assertThat(letters.replay(failsAgain).join()).contains(false);
            assertThat(copies()).containsExactlyInAnyOrder(settled, deleted, failsAgain);

            // After a restart, copies are removed that remained because of the stop.
            watch = new BrokerDlqSynchronizer(broker, letters).start();
            await().untilAsserted(() -> assertThat(copies()).containsExactly(failsAgain));
            await().until(() -> letters.copiesToLeave().join().isEmpty());
        }
    }

    private static DeadLetter.Failed failed(String origin) {
        return new DeadLetter.Failed(origin, "test", "orders", null, "invalid-json", "no", Map.of(), "{", false);
    }

    private List<String> copies() throws JMSException {
        try (Connection connection = broker.connect();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
                QueueBrowser browser = session.createBrowser(session.createQueue("DLQ"))) {
            connection.start();
            List<String> ids = new ArrayList<>();
            Enumeration<?> messages = browser.getEnumeration();
            while (messages.hasMoreElements()) {
                ids.add(((Message) messages.nextElement()).getStringProperty("deadLetterId"));
            }
            return ids;
        }
    }

    @Test
    void keysLogInByNameWithPermissionsOfRole() throws Exception {
        assertRefused(() -> login("olga", "a guess"));
        assertRefused(() -> login(null, null));
        try (Connection connection = login("sam", "sams-key")) {
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            session.createProducer(session.createQueue("orders")).send(session.createTextMessage("an order"));
            session.createConsumer(session.createTemporaryQueue()).close();
            assertRefused(() -> session.createConsumer(session.createQueue("DLQ")));
            assertRefused(() -> session.createConsumer(session.createQueue("orders")));
            assertRefused(() -> session.createConsumer(session.createQueue("order-queue.reserve-items@1")));
            assertRefused(() -> session.createProducer(session.createTopic("order-events"))
                    .send(session.createTextMessage("a lie")));
        }
    }

    private interface Attempt {
        void make() throws Exception;
    }

    private static void assertRefused(Attempt attempt) {
        Assertions.assertThatThrownBy(attempt::make).isInstanceOf(JMSSecurityException.class);
    }

    private DeadLetter onlyLetter() {
        return await().until(
                        () -> letters.list(DeadLetters.Filter.ALL, null, 10).join(), found -> found.size() == 1)
                .get(0);
    }

    private Connection login(String user, String password) throws JMSException {
        return new ActiveMQConnectionFactory(
                        "tcp://127.0.0.1:" + broker.embedded().orElseThrow().port(), user, password)
                .createConnection();
    }

    private static String sha256(String text) throws Exception {
        return HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }
}
