package io.caravanserai.subscriber.notification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravanserai.config.HubSettings;
import io.caravanserai.event.EventType;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mail over TLS, to servers with trusted and untrusted certificates. */
class MailTlsIT {
    private static final String USER = "hub";
    private static final String PASSWORD = "s3cret";

    /** The loopback address in an unusual notation. */
    private static final String FAR_AWAY = "[::ffff:127.0.0.1]";

    private static final Notification MESSAGE =
            new Notification("event-1", "o-1", "ann@example.org", EventType.OrderCreated, "Thank you.", Instant.EPOCH);

    @TempDir
    static Path folder;

    private static SSLContext tls;
    private SSLContext before;
    private final MailServer server = new MailServer();

    @BeforeAll
    static void makeKey() throws Exception {
        Path file = folder.resolve("mail.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "mail",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=mail",
                        "-ext",
                        "san=ip:127.0.0.1",
                        "-keystore",
                        file.toString(),
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        PASSWORD)
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, PASSWORD.toCharArray());
        KeyStore certificates = KeyStore.getInstance("PKCS12");
        certificates.load(null, null);
        certificates.setCertificateEntry("mail", store.getCertificate("mail"));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(certificates);
        tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    }

    @BeforeEach
    void remember() throws Exception {
        before = SSLContext.getDefault();
    }

    @AfterEach
    void close() {
        SSLContext.setDefault(before);
        server.close();
    }

    private List<Attempt> deliver(String scheme, String host) throws IOException {
        HubSettings.Mail mail = new HubSettings.Mail(
                URI.create(scheme + "://" + host + ':' + server.port()),
                Optional.of(new HubSettings.Login(USER, PASSWORD)),
                "orders@shop.example",
                "{customerId}");
        return new MailNotificationSender(mail, new FileNotificationSender(folder.resolve("notifications.jsonl")))
                .deliver(List.of(MESSAGE));
    }

    @Test
    void mailGoesOverTls() throws Exception {
        SSLContext.setDefault(tls);
        server.startWithTls(tls, USER, PASSWORD);

        assertThat(deliver("smtps", "127.0.0.1")).containsExactly(new Attempt.Delivered(MESSAGE));

        assertThat(server.taken()).hasSize(1);
    }

    @Test
    void passwordIsSentOnlyAfterStartTls() throws Exception {
        SSLContext.setDefault(tls);
        server.startWithStartTls(tls, USER, PASSWORD);

        assertThat(deliver("smtp", "127.0.0.1")).containsExactly(new Attempt.Delivered(MESSAGE));

        assertThat(server.taken()).hasSize(1);
    }

    @Test
    void untrustedCertificateGetsNoPassword() {
        server.startWithTls(tls, USER, PASSWORD);
        assertNothingSaid("smtps", "127.0.0.1", "unable to find valid certification path");

        server.close();
        server.startWithStartTls(tls, USER, PASSWORD);
        assertNothingSaid("smtp", "127.0.0.1", "unable to find valid certification path");
    }

    @Test
    void certificateOfOtherNameGetsNoPassword() {
        SSLContext.setDefault(tls);
        server.startWithTls(tls, USER, PASSWORD);
        assertNothingSaid("smtps", "localhost", "localhost");

        server.close();
        server.startWithStartTls(tls, USER, PASSWORD);
        assertNothingSaid("smtp", "localhost", "localhost");
    }

    @Test
    void remoteServerWithoutTlsGetsNoPassword() {
        server.start(USER, PASSWORD);

        assertNothingSaid("smtp", FAR_AWAY, "STARTTLS is required");
    }

    private void assertNothingSaid(String scheme, String host, String why) {
        assertThatThrownBy(() -> deliver(scheme, host))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("hub.notification.mail.url")
                .hasStackTraceContaining(why);
        assertThat(server.taken()).isEmpty();
        assertThat(server.passwordsHeard()).isEmpty();
    }
}
