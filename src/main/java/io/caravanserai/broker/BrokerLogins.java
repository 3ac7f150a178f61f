package io.caravanserai.broker;

import io.caravanserai.HubSettings;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.activemq.artemis.core.security.CheckType;
import org.apache.activemq.artemis.core.security.Role;
import org.apache.activemq.artemis.spi.core.protocol.RemotingConnection;
import org.apache.activemq.artemis.spi.core.security.ActiveMQSecurityManager2;

/**
 * Lets the hub's API keys log in to the embedded broker, with the key's name and the key. An operator may do everything;
 * a sender may send orders and receive answers; every key may hear events.
 */
final class BrokerLogins implements ActiveMQSecurityManager2 {
    static final String HUB = "hub";

    private final List<HubSettings.ApiKey> keys;
    private final String hubPassword;

    BrokerLogins(List<HubSettings.ApiKey> keys) {
        this.keys = List.copyOf(keys);
        byte[] secret = new byte[24];
        new SecureRandom().nextBytes(secret);
        this.hubPassword = HexFormat.of().formatHex(secret);
    }

    /** Made anew at each start and known only within the process. */
    String hubPassword() {
        return hubPassword;
    }

    @Override
    public boolean validateUser(String user, String password) {
        return isHub(user, password) || key(user, password).isPresent();
    }

    @Override
    public boolean validateUser(String user, String password, X509Certificate[] certificates) {
        return validateUser(user, password);
    }

    @Override
    public boolean validateUserAndRole(String user, String password, Set<Role> roles, CheckType checkType) {
        return isHub(user, password)
                || key(user, password)
                        .filter(key -> key.role() == HubSettings.Role.OPERATOR)
                        .isPresent();
    }

    @Override
    public boolean validateUserAndRole(
            String user,
            String password,
            Set<Role> roles,
            CheckType checkType,
            String address,
            RemotingConnection connection) {
        if (isHub(user, password)) {
            return true;
        }
        return key(user, password)
                .filter(key -> isAllowed(key.role(), checkType, address))
                .isPresent();
    }

    private static boolean isAllowed(HubSettings.Role role, CheckType checkType, String address) {
        if (role == HubSettings.Role.OPERATOR) {
            return true;
        }
        String plain = address.contains("::") ? address.substring(0, address.indexOf("::")) : address;
        return switch (checkType) {
            case SEND -> role == HubSettings.Role.SENDER && plain.equals("orders");
            // Whoever made a subscription ends it; queues of the hub itself are never theirs to take from.
            case CONSUME, BROWSE, CREATE_DURABLE_QUEUE, DELETE_DURABLE_QUEUE ->
                plain.equals("order-events") && !isOfTheHub(address) || isForAnswers(role, plain);
            case CREATE_NON_DURABLE_QUEUE, DELETE_NON_DURABLE_QUEUE ->
                plain.equals("order-events") || isForAnswers(role, plain);
            case CREATE_ADDRESS, DELETE_ADDRESS -> isForAnswers(role, plain);
            default -> false;
        };
    }

    private static boolean isOfTheHub(String address) {
        return address.contains("::hub-");
    }

    private static boolean isForAnswers(HubSettings.Role role, String address) {
        return role == HubSettings.Role.SENDER && !HubAddresses.contains(address) && !address.startsWith("hub");
    }

    private boolean isHub(String user, String password) {
        return HUB.equals(user) && password != null && same(hubPassword, password);
    }

    private Optional<HubSettings.ApiKey> key(String user, String password) {
        if (password == null) {
            return Optional.empty();
        }
        String hash = sha256(password);
        return keys.stream()
                .filter(key -> key.name().equals(user) && same(key.sha256(), hash))
                .findFirst();
    }

    private static boolean same(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }

    private static String sha256(String text) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
