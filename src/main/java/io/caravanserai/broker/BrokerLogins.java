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
 * Authenticates API keys at the embedded broker (user: the key's name, password: the key), and delegates each
 * authorization to {@link BrokerPermissions}. Thread-safe.
 *
 * <p>Implements {@code ActiveMQSecurityManager5} because older interfaces receive the address only, not the queue. The
 * broker must not cache decisions: each one depends on the connection.
 */
final class BrokerLogins implements ActiveMQSecurityManager5 {
    /** User name of the hub. */
    static final String HUB = "hub";

    private final List<ApiKey> keys;
    private final String hubPassword = secret();
    private final Subject hub;
    private final BrokerPermissions permissions;

    /**
     * An authenticated login.
     *
     * @param key empty for the hub
     * @param connectionId null for the hub, and if the broker names no connection
     */
    private record Login(Optional<ApiKey> key, Object connectionId) {}

    BrokerLogins(List<ApiKey> keys, BrokerPermissions permissions) {
        this.keys = List.copyOf(keys);
        this.permissions = permissions;
        this.hub = subject(HUB, new Login(Optional.empty(), null));
    }

    /** Random at each start and known only inside the process. */
    String hubPassword() {
        return hubPassword;
    }

    /** A random password: 192 bits, in hexadecimal. */
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
     * Whether a reply may go to the address that a message names: the sender must be allowed to receive there. Without
     * this check, a sender could make the hub write to addresses that are closed to the sender.
     *
     * @param user the sender, as authenticated by the broker
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

    /**
     * A broker that supports {@code ActiveMQSecurityManager5} never calls this method. Without a queue, only the hub is
     * allowed.
     */
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
