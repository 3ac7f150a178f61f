package io.caravanserai.broker;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.CoreAddressConfiguration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;

/**
 * An Artemis broker in a separate process, for tests that kill the broker. The settings are from {@code artemis
 * create}, not from the hub's embedded broker.
 */
public final class ArtemisProcess implements AutoCloseable {
    private static final String READY = "ready";

    private final BrokerProcess process;

    private ArtemisProcess(BrokerProcess process) {
        this.process = process;
    }

    /** Starts a broker and waits until clients can connect. */
    public static ArtemisProcess start(Path directory, int port) throws IOException {
        BrokerProcess process = BrokerProcess.start(ArtemisProcess.class, "-Xmx256m", directory, port, READY);
        return new ArtemisProcess(process);
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill() {
        process.kill();
    }

    /** SIGSTOP: until {@link #thaw}, connections stay open without answers. */
    public void freeze() {
        process.freeze();
    }

    /** SIGCONT. */
    public void thaw() {
        process.thaw();
    }

    @Override
    public void close() {
        kill();
    }

    public static void main(String[] arguments) throws Exception {
        EmbeddedActiveMQ broker = new EmbeddedActiveMQ();
        broker.setConfiguration(configuration(Path.of(arguments[0]), arguments[1]));
        broker.start();
        if (!broker.getActiveMQServer().waitForActivation(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the broker did not become active");
        }
        System.out.println(READY);
        Thread.currentThread().join();
    }

    private static Configuration configuration(Path folder, String port) throws Exception {
        return new ConfigurationImpl()
                .setSecurityEnabled(false)
                .setJMXManagementEnabled(false)
                .setJournalType(JournalType.NIO)
                .setJournalDirectory(folder.resolve("journal").toString())
                .setBindingsDirectory(folder.resolve("bindings").toString())
                .setLargeMessagesDirectory(folder.resolve("large-messages").toString())
                .setPagingDirectory(folder.resolve("paging").toString())
                .setMaxDiskUsage(-1)
                .addAcceptorConfiguration("artemis", "tcp://127.0.0.1:" + port)
                .addAddressConfiguration(queue("DLQ"))
                .addAddressConfiguration(queue("ExpiryQueue"))
                .addAddressSetting(
                        "#",
                        new AddressSettings()
                                .setDeadLetterAddress(SimpleString.of("DLQ"))
                                .setExpiryAddress(SimpleString.of("ExpiryQueue"))
                                .setAutoDeleteQueues(false)
                                .setAutoDeleteAddresses(false));
    }

    private static CoreAddressConfiguration queue(String name) {
        return new CoreAddressConfiguration()
                .setName(name)
                .addRoutingType(RoutingType.ANYCAST)
                .addQueueConfiguration(QueueConfiguration.of(name).setRoutingType(RoutingType.ANYCAST));
    }
}
