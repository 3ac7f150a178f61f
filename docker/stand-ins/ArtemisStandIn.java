import java.util.Map;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.config.impl.SecurityConfiguration;
import org.apache.activemq.artemis.core.security.Role;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.spi.core.security.ActiveMQJAASSecurityManager;
import org.apache.activemq.artemis.spi.core.security.jaas.InVMLoginModule;

/** An Artemis broker that reads the environment as the image apache/activemq-artemis does, where that cannot be had. */
public class ArtemisStandIn {
    public static void main(String[] arguments) throws Exception {
        String user = System.getenv("ARTEMIS_USER");
        SecurityConfiguration users = new SecurityConfiguration();
        users.addUser(user, System.getenv("ARTEMIS_PASSWORD"));
        users.addRole(user, "amq");
        String data = "/var/lib/artemis-instance/";
        ConfigurationImpl configuration = new ConfigurationImpl();
        configuration
                .setJournalType(JournalType.NIO)
                .setJournalDirectory(data + "journal")
                .setBindingsDirectory(data + "bindings")
                .setLargeMessagesDirectory(data + "large")
                .setPagingDirectory(data + "paging")
                .addAcceptorConfiguration("tcp", "tcp://0.0.0.0:61616");
        configuration.putSecurityRoles(
                "#", java.util.Set.of(new Role("amq", true, true, true, true, true, true, true, true, true, true, false, false)));
        EmbeddedActiveMQ broker = new EmbeddedActiveMQ();
        broker.setConfiguration(configuration);
        broker.setSecurityManager(new ActiveMQJAASSecurityManager(InVMLoginModule.class.getName(), users));
        broker.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                broker.stop();
            } catch (Exception e) {
                e.printStackTrace();
            }
        }));
        Thread.currentThread().join();
    }
}
