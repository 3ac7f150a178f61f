package io.caravanserai.subscriber.notification;

import io.caravanserai.config.HubSettings;
import io.caravanserai.support.MailAddresses;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import java.util.regex.Pattern;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.eclipse.angus.mail.smtp.SMTPSenderFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends messages by mail (SMTP, RFC 5321) to customers with an address, and passes all other messages to another
 * sender. A message that is sent again after an unknown result has the same {@code Message-ID}.
 */
public final class MailNotificationSender implements NotificationSender {
    private static final Logger LOG = LoggerFactory.getLogger(MailNotificationSender.class);
    private static final int AT_ONCE = 20;
    private static final Pattern THIS_MACHINE = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[::1]");
    private static final String TIMEOUT_MILLIS = "10000";
    /** Reply codes from here on are permanent failures, lower codes are transient (RFC 5321, 4.2.1). */
    private static final int PERMANENT = 500;

    private final HubSettings.Mail settings;
    private final MailAddresses addresses;
    private final NotificationSender others;
    private final Session session;

    public MailNotificationSender(HubSettings.Mail settings, NotificationSender others) {
        this.settings = settings;
        this.addresses = new MailAddresses(settings.to());
        this.others = others;
        this.session = Session.getInstance(properties(settings));
    }

    private static Properties properties(HubSettings.Mail settings) {
        String prefix = "mail." + settings.url().getScheme() + '.';
        Properties properties = new Properties();
        properties.setProperty(prefix + "connectiontimeout", TIMEOUT_MILLIS);
        properties.setProperty(prefix + "timeout", TIMEOUT_MILLIS);
        properties.setProperty(prefix + "writetimeout", TIMEOUT_MILLIS);
        properties.setProperty(prefix + "ssl.checkserveridentity", "true");
        properties.setProperty(prefix + "starttls.enable", "true");
        // A password goes over TLS only, except to this machine.
        boolean secret = settings.login().isPresent()
                && !THIS_MACHINE.matcher(settings.url().getHost()).matches();
        properties.setProperty(prefix + "starttls.required", String.valueOf(secret));
        properties.setProperty(prefix + "auth", String.valueOf(settings.login().isPresent()));
        return properties;
    }

    @Override
    public int atOnce() {
        return AT_ONCE;
    }

    @Override
    public List<Attempt> deliver(List<Notification> notifications) throws IOException {
        List<Notification> without = notifications.stream()
                .filter(each -> addresses.of(each.customerId()).isEmpty())
                .toList();
        // In a call of their own, so that the results are recorded even if the mail server is then unavailable.
        return without.isEmpty() ? send(notifications) : others.deliver(without);
    }

    private List<Attempt> send(List<Notification> notifications) throws IOException {
        List<Attempt> attempts = new ArrayList<>();
        Transport server = connect();
        try {
            for (Notification each : notifications) {
                attempts.add(send(server, each));
                if (!(attempts.get(attempts.size() - 1) instanceof Attempt.Delivered) && !server.isConnected()) {
                    break;
                }
            }
        } catch (MessagingException e) {
            if (attempts.isEmpty()) {
                throw new IOException("the mail server does not let the hub send: " + e.getMessage(), e);
            }
        } finally {
            close(server);
        }
        return attempts;
    }

    private Transport connect() throws IOException {
        try {
            Transport server = session.getTransport(settings.url().getScheme());
            server.connect(
                    settings.url().getHost(),
                    settings.url().getPort(),
                    settings.login().map(HubSettings.Login::user).orElse(null),
                    settings.login().map(HubSettings.Login::password).orElse(null));
            return server;
        } catch (MessagingException e) {
            throw new IOException("the mail server (hub.notification.mail.url) cannot be used: " + e.getMessage(), e);
        }
    }

    private static void close(Transport server) {
        try {
            server.close();
        } catch (MessagingException e) {
            LOG.atDebug().setCause(e).log("the mail server did not say goodbye");
        }
    }

    /** @throws MessagingException when the server refuses the hub as a sender, rather than the message */
    private Attempt send(Transport server, Notification notification) throws MessagingException {
        try {
            MimeMessage mail = mail(notification);
            server.sendMessage(mail, mail.getAllRecipients());
            return new Attempt.Delivered(notification);
        } catch (SMTPSenderFailedException e) {
            throw e;
        } catch (MessagingException e) {
            return failed(notification, e);
        }
    }

    private static Attempt failed(Notification notification, MessagingException failure) {
        MessagingException answer = failure;
        while (answer.getNextException() instanceof MessagingException inner) {
            answer = inner;
        }
        int code = answer instanceof SMTPAddressFailedException recipient
                ? recipient.getReturnCode()
                : answer instanceof SMTPSendFailedException message ? message.getReturnCode() : 0;
        String why = String.valueOf(answer.getMessage()).strip();
        return code >= PERMANENT ? new Attempt.Refused(notification, why) : new Attempt.Postponed(notification, why);
    }

    private MimeMessage mail(Notification notification) throws MessagingException {
        String charset = StandardCharsets.UTF_8.name();
        MimeMessage mail = new Mail(session, messageId(notification));
        mail.setFrom(address(settings.from()));
        mail.setRecipient(
                Message.RecipientType.TO,
                address(addresses.of(notification.customerId()).orElseThrow()));
        mail.setSubject("Your order " + notification.orderId(), charset);
        mail.setSentDate(Date.from(notification.at()));
        mail.setText(notification.text(), charset);
        // Suppresses automatic replies, for example out-of-office mail (RFC 3834).
        mail.setHeader("Auto-Submitted", "auto-generated");
        mail.saveChanges();
        return mail;
    }

    private String messageId(Notification notification) {
        // The event id may have any characters; the UUID is safe in a header.
        UUID name = UUID.nameUUIDFromBytes(notification.id().getBytes(StandardCharsets.UTF_8));
        return "<" + name + settings.from().substring(settings.from().indexOf('@')) + ">";
    }

    private static final class Mail extends MimeMessage {
        private final String messageId;

        Mail(Session session, String messageId) {
            super(session);
            this.messageId = messageId;
        }

        @Override
        protected void updateMessageID() throws MessagingException {
            setHeader("Message-ID", messageId);
        }
    }

    private static InternetAddress address(String text) {
        InternetAddress address = new InternetAddress();
        address.setAddress(text);
        return address;
    }
}
