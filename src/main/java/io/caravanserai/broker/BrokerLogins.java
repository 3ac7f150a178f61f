package io.caravanserai.broker;

import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Role;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.security.auth.Subject;
import org.apache.activemq.artemis.core.security.CheckType;
import org.apache.activemq.artemis.spi.core.protocol.RemotingConnection;
import org.apache.activemq.artemis.spi.core.security.ActiveMQSecurityManager5;
import org.apache.activemq.artemis.spi.core.security.jaas.UserPrincipal;

/**
 * Lets the hub's API keys log in to the embedded broker, with the key's name and the key, and decides for each queue
 * what a login may do: {@link BrokerPermissions}. Thread-safe.
 *
 * <p>Implements the fifth interface of this kind because only this one is told the queue, and not its address alone. The
 * broker must not cache what is decided here: a decision depends on the connection.
 */
final class BrokerLogins implements ActiveMQSecurityManager5 {
    /** The login of the hub itself. */
    static final String HUB = "hub";

    private final List<ApiKey> keys;
    private final String hubPassword = secret();
    private final Subject hub;
    private final BrokerPermissions permissions;

    /**
     * Who has logged in over which connection.
     *
     * @param key empty for the hub itself
     */
    private record Login(Optional<ApiKey> key, Object connectionId) {}

    BrokerLogins(List<ApiKey> keys, BrokerPermissions permissions) {
        this.keys = List.copyOf(keys);
        this.permissions = permissions;
        this.hub = subject(HUB, new Login(Optional.empty(), null));
    }

    /** Made anew at each start and known only within the process. */
    String hubPassword() {
        return hubPassword;
    }

    /** A password that nobody can guess: 192 random bits. */
    static String secret() {
        byte[] secret = new byte[24];
        new SecureRandom().nextBytes(secret);
        return HexFormat.of().formatHex(secret);
    }

    @Override
    public Subject authenticate(String user, String password, RemotingConnection connection, String domain) {
        if (user == null || password == null) {
            return null;
        }
        if (isHub(user, password)) {
            return hub;
        }
        Object connectionId = connection == null ? null : connection.getID();
        return key(user, password)
                .map(key -> subject(user, new Login(Optional.of(key), connectionId)))
                .orElse(null);
    }

    @Override
    public boolean authorize(
            Subject subject,
            Set<org.apache.activemq.artemis.core.security.Role> roles,
            CheckType checkType,
            String address) {
        for (Login login : subject.getPrivateCredentials(Login.class)) {
            return login.key().isEmpty()
                    || permissions.allows(login.key().get(), login.connectionId(), checkType, address);
        }
        return false;
    }

    /**
     * Whether an answer may go to an address that a message asks for: only to where its sender may receive. Without this
     * a sender could have the hub write to places that the sender itself must not write to.
     *
     * @param user who sent the message, as the broker has checked
     */
    boolean mayBeAnswered(String user, String address) {
        return HUB.equals(user)
                || keys.stream()
                        .filter(key -> key.name().equals(user))
                        .anyMatch(key -> key.role() == Role.OPERATOR || permissions.mayReceive(key, address));
    }

    @Override
    public boolean validateUser(String user, String password) {
        return isHub(user, password) || key(user, password).isPresent();
    }

    /** Never asked by a broker that knows the fifth interface; without a queue nothing is allowed. */
    @Override
    public boolean validateUserAndRole(
            String user,
            String password,
            Set<org.apache.activemq.artemis.core.security.Role> roles,
            CheckType checkType) {
        return isHub(user, password);
    }

    private static Subject subject(String name, Login login) {
        return new Subject(true, Set.of(new UserPrincipal(name)), Set.of(), Set.of(login));
    }

    private boolean isHub(String user, String password) {
        return HUB.equals(user) && password != null && same(hubPassword, password);
    }

    private Optional<ApiKey> key(String user, String password) {
        if (password == null) {
            return Optional.empty();
        }
        String hash = sha256(password);
        return keys.stream()
                .filter(key -> key.name().equals(user) && same(key.sha256(), hash))
                .findFirst();
    }

    static boolean same(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }

    static String sha256(String text) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
