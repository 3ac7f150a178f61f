package io.caravanserai.subscriber.notification;

import io.caravanserai.app.FreePort;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import org.subethamail.smtp.MessageContext;
import org.subethamail.smtp.MessageHandler;
import org.subethamail.smtp.RejectException;
import org.subethamail.smtp.auth.EasyAuthenticationHandlerFactory;
import org.subethamail.smtp.auth.LoginFailedException;
import org.subethamail.smtp.server.SMTPServer;

/** A mail server in this process that keeps accepted messages and refuses chosen recipients. */
public final class MailServer implements AutoCloseable {
    private final List<MimeMessage> taken = new CopyOnWriteArrayList<>();
    private final Map<String, Integer> refused = new ConcurrentHashMap<>();
    private final List<String> passwordsHeard = new CopyOnWriteArrayList<>();
    private SMTPServer server;
    private final int port = FreePort.take();

    /** Starts the server, each time on the same port. */
    public MailServer start() {
        return start(builder());
    }

    /** Starts a server that requires a login. */
    public MailServer start(String user, String password) {
        return start(withLogin(user, password));
    }

    /** Starts a server with TLS from the first byte (SMTPS), which requires a login. */
    MailServer startWithTls(SSLContext tls, String user, String password) {
        return start(withLogin(user, password).serverSocketFactory(tls));
    }

    /** Starts a server that accepts no mail before STARTTLS, and requires a login. */
    MailServer startWithStartTls(SSLContext tls, String user, String password) {
        return start(withLogin(user, password).requireTLS().startTlsSocketFactory(tls));
    }

    private SMTPServer.Builder withLogin(String user, String password) {
        return builder()
                .requireAuth()
                .authenticationHandlerFactory(new EasyAuthenticationHandlerFactory((name, secret, context) -> {
                    passwordsHeard.add(secret);
                    if (!name.equals(user) || !secret.equals(password)) {
                        throw new LoginFailedException("who are you?");
                    }
                }));
    }

    private SMTPServer.Builder builder() {
        return new SMTPServer.Builder()
                .bindAddress(InetAddress.getLoopbackAddress())
                .port(port)
                .messageHandlerFactory(Handler::new);
    }

    private MailServer start(SMTPServer.Builder builder) {
        server = builder.build();
        server.start();
        return this;
    }

    public int port() {
        return port;
    }

    /** Refuses mail to an address with this code from now on; 0 accepts mail. */
    public void refuse(String address, int code) {
        refused.put(address, code);
    }

    /** Accepted messages, in order of arrival. */
    public List<MimeMessage> taken() {
        return taken;
    }

    /** Passwords of all login attempts. */
    List<String> passwordsHeard() {
        return passwordsHeard;
    }

    @Override
    public void close() {
        server.stop();
    }

    private final class Handler implements MessageHandler {
        Handler(MessageContext context) {}

        @Override
        public void from(String from) {}

        @Override
        public void recipient(String recipient) throws RejectException {
            int code = refused.getOrDefault(recipient, 0);
            if (code != 0) {
                throw new RejectException(code, "no mail for " + recipient);
            }
        }

        @Override
        public String data(InputStream data) throws IOException {
            try {
                taken.add(new MimeMessage(Session.getInstance(new Properties()), data));
                return null;
            } catch (MessagingException e) {
                throw new IOException(e);
            }
        }

        @Override
        public void done() {}
    }
}
