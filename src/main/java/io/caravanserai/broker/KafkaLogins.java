package io.caravanserai.broker;

import io.caravanserai.config.HubSettings.ApiKey;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.plain.PlainAuthenticateCallback;

/**
 * Authenticates API keys at the embedded Kafka broker over SASL/PLAIN (user: the key's name, password: the key), and
 * the hub with a password created at each start. Thread-safe.
 *
 * <p>Public with a no-argument constructor, because Kafka creates the instance by class name. The login configuration
 * names the realm with the keys.
 */
public final class KafkaLogins implements AuthenticateCallbackHandler {
    /** User name of the hub, and of the broker at the controller: no key can have this name. */
    static final String HUB = "(hub)";

    private static final String REALM = "realm";

    /** Realms of the brokers in this process: Kafka's configuration is text and cannot hold keys. */
    private static final Map<String, Realm> REALMS = new ConcurrentHashMap<>();

    private Realm realm;

    /**
     * The keys of a broker, and the hub's password there.
     *
     * @param hubName prefix of the hub's consumer groups
     */
    record Realm(String id, List<ApiKey> keys, String hubName, String password) {
        Realm(List<ApiKey> keys, String hubName) {
            this(BrokerLogins.secret(), List.copyOf(keys), hubName, BrokerLogins.secret());
        }

        /** The login configuration of a listener, also for the broker's connections to the controller. */
        String loginConfiguration() {
            return "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"" + HUB
                    + "\" password=\"" + password + "\" " + REALM + "=\"" + id + "\";";
        }

        Optional<ApiKey> key(String name) {
            return keys.stream().filter(key -> key.name().equals(name)).findFirst();
        }
    }

    static void open(Realm realm) {
        REALMS.put(realm.id(), realm);
    }

    static Optional<Realm> realm(String id) {
        return Optional.ofNullable(REALMS.get(id));
    }

    static void close(Realm realm) {
        REALMS.remove(realm.id());
    }

    @Override
    public void configure(Map<String, ?> configuration, String mechanism, List<AppConfigurationEntry> entries) {
        realm = entries.stream()
                .map(entry -> String.valueOf(entry.getOptions().get(REALM)))
                .flatMap(id -> realm(id).stream())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the login configuration names no known realm"));
    }

    @Override
    public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
        String name = null;
        for (Callback callback : callbacks) {
            if (callback instanceof NameCallback named) {
                name = named.getDefaultName();
            } else if (callback instanceof PlainAuthenticateCallback plain) {
                plain.authenticated(isValid(name, plain.password()));
            } else {
                throw new UnsupportedCallbackException(callback);
            }
        }
    }

    private boolean isValid(String name, char[] password) {
        if (name == null || password == null) {
            return false;
        }
        String text = new String(password);
        if (HUB.equals(name)) {
            return BrokerLogins.same(realm.password(), text);
        }
        return realm.key(name)
                .filter(key -> BrokerLogins.same(key.sha256(), BrokerLogins.sha256(text)))
                .isPresent();
    }

    @Override
    public void close() {
        // The realm belongs to the broker.
    }
}
