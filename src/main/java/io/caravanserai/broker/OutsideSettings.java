package io.caravanserai.broker;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.management.ResourceNames;
import org.apache.activemq.artemis.core.settings.impl.AddressFullMessagePolicy;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;

/**
 * Finds address settings of an external broker that would lose or delay the hub's messages. A broker reports the
 * settings only to a login with the right to {@code manage}; for other logins nothing is found.
 */
final class OutsideSettings {
    private static final SimpleString DEAD_LETTER_ADDRESS = SimpleString.of("DLQ");

    /** Artemis' default. Each broken connection counts as an attempt. */
    private static final int MIN_DELIVERY_ATTEMPTS = 10;

    private static final long MAX_REDELIVERY_DELAY_MILLIS = 5_000;

    private OutsideSettings() {}

    /**
     * For each fault the consequence, and the setting to change at the broker.
     *
     * @param connection started
     * @param addresses of the hub's messages
     */
    static List<String> faults(Connection connection, List<String> addresses) throws JMSException {
        List<String> faults = new ArrayList<>();
        try (Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE)) {
            for (String address : addresses) {
                Optional<AddressSettings> settings = settings(session, address);
                if (settings.isEmpty()) {
                    return List.of();
                }
                faults.addAll(faults(address, settings.get()));
            }
        }
        return faults;
    }

    private static Optional<AddressSettings> settings(Session session, String address) throws JMSException {
        return BrokerManagement.call(session, ResourceNames.BROKER, "getAddressSettingsAsJSON", address)
                .filter(String.class::isInstance)
                // Older brokers use another name.
                .map(json -> AddressSettings.fromJSON(json.toString().replace("\"DLA\"", "\"deadLetterAddress\"")));
    }

    private static List<String> faults(String address, AddressSettings settings) {
        List<String> faults = new ArrayList<>();
        int attempts = settings.getMaxDeliveryAttempts();
        boolean givesUp = attempts > 0;
        if (givesUp && settings.getDeadLetterAddress() == null) {
            faults.add("loses messages of " + address + " after " + attempts
                    + " delivery attempts: set dead-letter-address to DLQ");
        } else if (givesUp && !settings.getDeadLetterAddress().equals(DEAD_LETTER_ADDRESS)) {
            faults.add("moves undeliverable messages of " + address + " into " + settings.getDeadLetterAddress()
                    + ", which the hub does not read: set dead-letter-address to DLQ");
        }
        if (givesUp && attempts < MIN_DELIVERY_ATTEMPTS) {
            faults.add("gives up messages of " + address + " after " + attempts
                    + " broken connections: set max-delivery-attempts to -1");
        }
        if (settings.getRedeliveryDelay() > MAX_REDELIVERY_DELAY_MILLIS) {
            faults.add("holds messages of " + address + " for " + settings.getRedeliveryDelay()
                    + " ms after a broken connection: set redelivery-delay to 0");
        }
        if (settings.getAddressFullMessagePolicy() == AddressFullMessagePolicy.DROP) {
            faults.add("loses messages of " + address + " when it is full: set address-full-policy to PAGE");
        }
        return faults;
    }
}
