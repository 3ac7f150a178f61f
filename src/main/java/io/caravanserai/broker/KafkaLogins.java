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
 * Lets the hub's API keys log in to the embedded Kafka broker, with the key's name and the key (SASL/PLAIN); and the hub
 * itself, with a password made at each start. Thread-safe.
 *
 * <p>Public and without arguments, for Kafka makes it by its name; whose logins it knows is in the login configuration.
 */
public final class KafkaLogins implements AuthenticateCallbackHandler {
    /** The login of the hub itself, and of the broker at its controller: no key can have such a name. */
    static final String HUB = "(hub)";

    private static final String REALM = "realm";

    /** Of the brokers in this process; Kafka's configuration is text, which keys are not. */
    private static final Map<String, Realm> REALMS = new ConcurrentHashMap<>();

    private Realm realm;

    /**
     * The keys of a broker, and the hub's own password for it.
     *
     * @param hubName what the hub's own consumer groups begin with
     */
    record Realm(String id, List<ApiKey> keys, String hubName, String password) {
        Realm(List<ApiKey> keys, String hubName) {
            this(BrokerLogins.secret(), List.copyOf(keys), hubName, BrokerLogins.secret());
        }

        /** What the login configuration of a listener says, with which the broker logs in to itself. */
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
                .orElseThrow(() -> new IllegalStateException("the login configuration names no keys"));
    }

    @Override
    public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
        String name = null;
        for (Callback callback : callbacks) {
            if (callback instanceof NameCallback named) {
                name = named.getDefaultName();
            } else if (callback instanceof PlainAuthenticateCallback plain) {
                plain.authenticated(isRight(name, plain.password()));
            } else {
                throw new UnsupportedCallbackException(callback);
            }
        }
    }

    private boolean isRight(String name, char[] password) {
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
