package io.caravanserai.subscriber.notification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravanserai.config.HubSettings;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventData;
import io.caravanserai.event.EventJson;
import io.caravanserai.event.EventType;
import io.caravanserai.inbox.Inbox;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.support.Ids;
import jakarta.mail.MessagingException;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MailIT {
    private static final Optional<HubSettings.Login> LOGIN = Optional.of(new HubSettings.Login("hub", "s3cr et@:/"));

    @TempDir
    private Path folder;

    private Store store;
    private DeadLetters letters;
    private Notifications notifications;
    private Instant time = Instant.parse("2026-01-01T00:00:00Z");
    private final MailServer server = new MailServer();
    private final Clock clock = new Clock() {
        @Override
        public Instant instant() {
            return time;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    };

    @BeforeEach
    void open() {
        server.start();
        store = SqliteStore.open(folder);
        letters = new DeadLetters(store, new Ids(), clock);
        notifications = notifications("{customerId}", Optional.empty());
    }

    @AfterEach
    void close() {
        notifications.close();
        store.close();
        server.close();
    }

    private Notifications notifications(String to, Optional<HubSettings.Login> login) {
        HubSettings.Mail mail =
                new HubSettings.Mail(URI.create("smtp://127.0.0.1:" + server.port()), login, "orders@shop.example", to);
        return new Notifications(
                store,
                new Inbox(clock),
                letters,
                clock,
                new MailNotificationSender(mail, new FileNotificationSender(file())));
    }

    private Path file() {
        return folder.resolve("notifications.jsonl");
    }

    private void ordered(String orderId, String customerId) {
        EventData data = new EventData.OrderCreated(customerId, List.of(), "EUR", BigDecimal.ZERO);
        notifications
                .handle(new CloudEvent(
                        "event-of-" + orderId,
                        EventType.OrderCreated,
                        1,
                        orderId,
                        time,
                        EventContext.NONE,
                        EventJson.write(orderId, data).toString()))
                .join();
    }

    private void pass() throws Exception {
        while (notifications.runOnce()) {
            assertThat(server.taken()).hasSizeLessThan(1_000);
        }
    }

    private List<String> subjects() {
        return server.taken().stream().map(MailIT::subject).toList();
    }

    private static String subject(MimeMessage mail) {
        try {
            return mail.getSubject();
        } catch (MessagingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void customersWithAddressGetMailAndOtherMessagesGoToFile() throws Exception {
        ordered("o-1", "ann@example.org");
        ordered("o-2", "C-789");
        ordered("o-3", "bo@example.org, eve@example.org");

        pass();
        pass();

        assertThat(subjects()).containsExactly("Your order o-1");
        MimeMessage mail = server.taken().get(0);
        assertThat(mail.getHeader("To")).containsExactly("ann@example.org");
        assertThat(mail.getHeader("From")).containsExactly("orders@shop.example");
        assertThat(mail.getHeader("Auto-Submitted")).containsExactly("auto-generated");
        assertThat(mail.getSentDate()).isEqualTo(time);
        assertThat(mail.getContent().toString().strip()).isEqualTo("Thank you, we have your order o-1.");
        assertThat(Files.readAllLines(file()))
                .hasSize(2)
                .allMatch(line -> line.contains("\"o-2\"") || line.contains("\"o-3\""));
    }

    @Test
    void addressIsBuiltFromCustomerIdAndHubLogsIn() throws Exception {
        server.close();
        server.start(LOGIN.get().user(), LOGIN.get().password());
        notifications.close();
        notifications = notifications("{customerId}@customers.example", LOGIN);
        ordered("o-1", "C-789");
        ordered("o-2", "eve@example.org");

        pass();

        assertThat(subjects()).containsExactly("Your order o-1");
        assertThat(server.taken().get(0).getHeader("To")).containsExactly("C-789@customers.example");
        assertThat(Files.readAllLines(file())).hasSize(1);
    }

    @Test
    void messagesAreKeptAndPasswordIsHiddenWhenLoginFails() throws Exception {
        server.close();
        server.start("hub", "another");
        notifications.close();
        notifications = notifications("{customerId}", LOGIN);
        ordered("o-1", "ann@example.org");

        assertThatThrownBy(notifications::runOnce)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("hub.notification.mail.url")
                .hasMessageNotContaining(LOGIN.get().password())
                .hasStackTraceContaining("AuthenticationFailedException");

        server.close();
        server.start(LOGIN.get().user(), LOGIN.get().password());
        pass();
        assertThat(subjects()).containsExactly("Your order o-1");
    }

    @Test
    void permanentlyRefusedMessageBecomesDeadLetterAndBlocksNoOther() throws Exception {
        server.refuse("nobody@example.org", 550);
        for (int i = 0; i < 25; i++) {
            ordered("gone-" + i, "nobody@example.org");
        }
        ordered("o-1", "ann@example.org");

        pass();

        assertThat(subjects()).containsExactly("Your order o-1");
        List<DeadLetter> refused =
                letters.list(DeadLetters.Filter.ALL, null, 100).join();
        assertThat(refused).hasSize(25);
        DeadLetter letter = refused.get(0);
        assertThat(letter.reason()).isEqualTo("message-refused");
        assertThat(letter.error()).contains("550", "no mail for nobody@example.org");
        assertThat(letter.body()).startsWith("Thank you");

        server.refuse("nobody@example.org", 0);
        time = time.plusSeconds(1);
        for (int i = 0; i < 2; i++) {
            assertThat(letters.replay(letter.id()).join()).contains(true);
            pass();
        }
        assertThat(subjects())
                .containsExactly(
                        "Your order o-1", "Your order " + letter.headers().get("orderId"));
        assertThat(letters.list(DeadLetters.Filter.ALL, null, 100).join()).hasSize(24);
    }

    @Test
    void transientlyRefusedMessageIsRetriedAndBlocksNoOther() throws Exception {
        server.refuse("busy@example.org", 451);
        server.refuse("never@example.org", 451);
        for (int i = 0; i < 25; i++) {
            ordered("busy-" + i, "busy@example.org");
        }
        ordered("never", "never@example.org");
        ordered("o-1", "ann@example.org");

        pass();
        pass();
        assertThat(subjects()).containsExactly("Your order o-1");

        server.refuse("busy@example.org", 0);
        pass();
        assertThat(subjects()).hasSize(1);
        time = time.plus(Duration.ofMinutes(2));
        pass();
        assertThat(subjects()).hasSize(26).doesNotHaveDuplicates();
        assertThat(letters.waiting().join()).isZero();

        time = time.plus(Duration.ofDays(3));
        pass();
        assertThat(letters.list(DeadLetters.Filter.ALL, null, 10).join())
                .extracting(each -> each.headers().get("orderId"))
                .containsExactly("never");
    }

    @Test
    void messagesWaitForUnavailableServerAndAreSentOnceInOrder() {
        server.close();
        notifications.start();
        for (int i = 10; i < 60; i++) {
            ordered("o-" + i, "ann@example.org");
        }
        await().during(Duration.ofSeconds(1)).until(() -> server.taken().isEmpty());

        server.start();

        await().until(() -> server.taken().size() == 50);
        assertThat(subjects()).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void repeatedMessageKeepsMessageId() throws Exception {
        ordered("o-1", "ann@example.org");
        pass();
        // Simulates a crash between the reply of the mail server and the record of the delivery.
        store.write("test", "test", tx -> tx.update("UPDATE notifications SET delivered_at = NULL"))
                .join();

        pass();

        assertThat(server.taken()).hasSize(2);
        assertThat(server.taken().get(0).getMessageID())
                .isEqualTo(server.taken().get(1).getMessageID())
                .matches("<[0-9a-f-]{36}@shop.example>");
    }
}
