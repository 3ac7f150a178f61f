package io.caravanserai.broker;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.jms.Connection;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.config.impl.SecurityConfiguration;
import org.apache.activemq.artemis.core.security.Role;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressFullMessagePolicy;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.activemq.artemis.spi.core.security.ActiveMQJAASSecurityManager;
import org.apache.activemq.artemis.spi.core.security.jaas.InVMLoginModule;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutsideSettingsIT {
    private static final String URL = "vm://90210";
    private static final AddressSettings USUAL = new AddressSettings().setDeadLetterAddress(SimpleString.of("DLQ"));

    @TempDir
    private Path folder;

    private final EmbeddedActiveMQ broker = new EmbeddedActiveMQ();
    private final ConfigurationImpl configuration = new ConfigurationImpl();

    @AfterEach
    void stop() throws Exception {
        broker.stop();
    }

    private List<String> faults() throws Exception {
        broker.setConfiguration(configuration
                .setPersistenceEnabled(false)
                .setJournalDirectory(folder.toString())
                .addAcceptorConfiguration("here", URL));
        broker.start();
        try (ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(URL, "hub", "secret");
                Connection connection = factory.createConnection()) {
            connection.start();
            List<String> faults = OutsideSettings.faults(connection, List.of("orders", "order-events"));
            assertThat(broker.getActiveMQServer().getActiveMQServerControl().getQueueNames())
                    .as("what is left at the broker")
                    .isEmpty();
            return faults;
        }
    }

    @Test
    void defaultSettingsHaveNoFaults() throws Exception {
        configuration.setSecurityEnabled(false).addAddressSetting("#", USUAL);

        assertThat(faults()).isEmpty();
    }

    @Test
    void settingsThatLoseOrDelayMessagesAreReportedWithFix() throws Exception {
        configuration
                .setSecurityEnabled(false)
                .addAddressSetting(
                        "orders",
                        new AddressSettings().setMaxDeliveryAttempts(1).setRedeliveryDelay(60_000))
                .addAddressSetting(
                        "order-events",
                        new AddressSettings()
                                .setDeadLetterAddress(SimpleString.of("Lost"))
                                .setAddressFullMessagePolicy(AddressFullMessagePolicy.DROP));

        assertThat(faults())
                .satisfiesExactly(
                        fault -> assertThat(fault).contains("loses messages of orders", "dead-letter-address to DLQ"),
                        fault -> assertThat(fault).contains("orders after 1", "max-delivery-attempts to -1"),
                        fault -> assertThat(fault).contains("orders for 60000 ms", "redelivery-delay to 0"),
                        fault -> assertThat(fault).contains("order-events", "into Lost", "dead-letter-address to DLQ"),
                        fault -> assertThat(fault).contains("order-events when it is full", "to PAGE"));
    }

    @Test
    void loginWithoutManageRightGetsNoFaults() throws Exception {
        SecurityConfiguration logins = new SecurityConfiguration();
        logins.addUser("hub", "secret");
        logins.addRole("hub", "client");
        broker.setSecurityManager(new ActiveMQJAASSecurityManager(InVMLoginModule.class.getName(), logins));
        configuration
                .setSecurityEnabled(true)
                .addAddressSetting("orders", new AddressSettings().setMaxDeliveryAttempts(1))
                .putSecurityRoles(
                        "#",
                        Set.of(new Role(
                                "client", false, true, true, true, true, true, false, false, true, true, false, false)))
                .putSecurityRoles("activemq.management", Set.of());

        assertThat(faults()).isEmpty();
    }
}
