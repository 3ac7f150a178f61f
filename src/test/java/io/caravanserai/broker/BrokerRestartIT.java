package io.caravanserai.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.config.HubSettings;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An embedded JMS broker that stopped itself at a critical I/O error. */
class BrokerRestartIT {
    private static final IOException FULL = new IOException("No space left on device");
    private static final IOException FAILED = new IOException("Input/output error");

    @TempDir
    Path data;

    private Path folder;
    private JmsBroker broker;

    @BeforeEach
    void start() {
        folder = data.resolve("broker");
        broker = JmsBroker.start(new HubSettings.Jms(Optional.empty(), 0), folder, List.of());
        await().until(() -> broker.unavailableReason().isEmpty());
    }

    @AfterEach
    void stop() {
        broker.close();
    }

    @Test
    void fullDiskStopsBrokerUntilSpaceIsFreedWithoutLoss() throws Exception {
        send("kept");
        int port = embedded().port();
        Object journal = inode();
        Path inTheWay = Files.createDirectories(data.resolve("broker.trial/full"));

        fail(FULL);

        await().until(() -> broker.unavailableReason().isPresent());
        assertThat(broker.unavailableReason().orElseThrow())
                .contains("No space left")
                .contains("hub.data.dir");
        assertThat(embedded().depth("orders")).isZero();
        Files.delete(inTheWay);
        await().until(() -> broker.unavailableReason().isEmpty());
        assertThat(receive()).isEqualTo("kept");
        assertThat(embedded().port()).isEqualTo(port);
        assertThat(inode()).as("nothing was written, so the files are sound").isEqualTo(journal);
    }

    @Test
    void brokerContinuesOnFileCopiesAfterIoError() throws Exception {
        send("kept");
        Object journal = inode();

        fail(FAILED);

        await().until(() -> broker.unavailableReason().isPresent());
        await().until(() -> broker.unavailableReason().isEmpty());
        assertThat(receive()).isEqualTo("kept");
        assertThat(inode()).isNotEqualTo(journal);
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void brokerRestartsAfterRepeatedFailures() throws Exception {
        for (int round = 0; round < 3; round++) {
            send("round " + round);
            fail(FAILED);
            await().until(() -> broker.unavailableReason().isPresent());
            await().until(() -> broker.unavailableReason().isEmpty());
            assertThat(receive()).isEqualTo("round " + round);
        }
    }

    @Test
    void nextProcessRepeatsFileCopyInterruptedByCrash() throws Exception {
        send("kept");
        broker.close();
        Object journal = inode();
        Files.writeString(data.resolve("broker.condemned"), "injected");
        Files.createDirectories(data.resolve("broker.rebuilding/half"));

        start();

        assertThat(receive()).isEqualTo("kept");
        assertThat(inode()).isNotEqualTo(journal);
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void nextProcessFinishesFolderSwapInterruptedByCrash() throws Exception {
        send("kept");
        broker.close();
        Files.move(folder, data.resolve("broker.next"));
        Files.writeString(Files.createDirectories(folder).resolve("half deleted"), "");

        start();

        assertThat(receive()).isEqualTo("kept");
        assertThat(leftovers()).isEmpty();
    }

    private void fail(IOException failure) {
        embedded().artemis().getIoCriticalErrorListener().onIOException(failure, "injected", "a file");
    }

    private EmbeddedArtemis embedded() {
        return broker.embedded().orElseThrow();
    }

    private void send(String text) throws JMSException {
        try (Connection connection = broker.connect();
                Session session = connection.createSession(Session.SESSION_TRANSACTED)) {
            session.createProducer(session.createQueue("orders")).send(session.createTextMessage(text));
            session.commit();
        }
    }

    private String receive() throws JMSException {
        try (Connection connection = broker.connect();
                Session session = connection.createSession(Session.SESSION_TRANSACTED);
                MessageConsumer consumer = session.createConsumer(session.createQueue("orders"))) {
            connection.start();
            String text = ((TextMessage) consumer.receive(30_000)).getText();
            session.commit();
            return text;
        }
    }

    private Object inode() throws IOException {
        return Files.getAttribute(folder.resolve("journal"), "unix:ino");
    }

    private List<Path> leftovers() throws IOException {
        try (var files = Files.list(data)) {
            return files.filter(file -> file.getFileName().toString().startsWith("broker."))
                    .toList();
        }
    }
}
