package io.caravanserai.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Role;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.TransportConfiguration;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.apache.activemq.artemis.core.client.impl.ClientSessionFactoryInternal;
import org.apache.activemq.artemis.core.config.federation.FederationAddressPolicyConfiguration;
import org.apache.activemq.artemis.core.config.federation.FederationDownstreamConfiguration;
import org.apache.activemq.artemis.core.protocol.core.CoreRemotingConnection;
import org.apache.activemq.artemis.core.protocol.core.Packet;
import org.apache.activemq.artemis.core.protocol.core.impl.ChannelImpl.CHANNEL_ID;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.BackupRequestMessage;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.ClusterConnectMessage;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.CreateQueueMessage;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.FederationDownstreamConnectMessage;
import org.apache.activemq.artemis.core.protocol.core.impl.wireformat.ScaleDownAnnounceMessage;
import org.apache.activemq.artemis.core.remoting.impl.netty.NettyConnectorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Packets reserved for traffic between brokers, sent by a client without a login. */
class CorePacketGuardIT {
    private static final List<ApiKey> KEYS = List.of(new ApiKey("shop", Role.SENDER, "0".repeat(64)));

    /** Longer than any connection on this machine takes; the broker has closed the sender's connection by then. */
    private static final int NO_CONNECTION_MILLIS = 1_000;

    @TempDir
    private Path folder;

    static Stream<List<ApiKey>> withAndWithoutKeys() {
        return Stream.of(List.of(), KEYS);
    }

    @ParameterizedTest
    @MethodSource("withAndWithoutKeys")
    void federationPacketCausesNoConnectionAndBrokerStillStops(List<ApiKey> keys) throws Exception {
        EmbeddedArtemis broker = EmbeddedArtemis.start(folder, 0, keys);
        try (ServerSocket chosen = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            chosen.setSoTimeout(NO_CONNECTION_MILLIS);
            sendAndAwaitClose(broker, CHANNEL_ID.FEDERATION, federation(chosen.getLocalPort()));
            sendAndAwaitClose(broker, CHANNEL_ID.PING, federation(chosen.getLocalPort()));

            assertThatThrownBy(chosen::accept).isInstanceOf(SocketTimeoutException.class);
        } finally {
            long began = System.nanoTime();
            broker.close();
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
        }
    }

    @ParameterizedTest
    @MethodSource("withAndWithoutKeys")
    void noQueueIsCreatedAndNoClusterJoinedBeforeLogin(List<ApiKey> keys) throws Exception {
        try (EmbeddedArtemis broker = EmbeddedArtemis.start(folder, 0, keys)) {
            sendAndAwaitClose(
                    broker,
                    CHANNEL_ID.SESSION,
                    new CreateQueueMessage(
                            SimpleString.of("order-events"), SimpleString.of("spy"), null, true, false, false));
            sendAndAwaitClose(broker, CHANNEL_ID.CLUSTER, new ClusterConnectMessage("user", "password"));
            sendAndAwaitClose(
                    broker,
                    CHANNEL_ID.CLUSTER,
                    new ScaleDownAnnounceMessage(SimpleString.of("one"), SimpleString.of("two")));
            sendAndAwaitClose(broker, CHANNEL_ID.CLUSTER, new BackupRequestMessage(1, "/tmp/a", "/tmp/b", null, null));
            sendAndAwaitClose(broker, CHANNEL_ID.REPLICATION, new ClusterConnectMessage("user", "password"));

            assertThat(broker.hasQueue("spy")).isFalse();
        }
    }

    @Test
    void clientContinuesAfterLostConnection() throws Exception {
        try (EmbeddedArtemis broker = EmbeddedArtemis.start(folder, 0, List.of());
                ServerLocator locator = ActiveMQClient.createServerLocator("tcp://127.0.0.1:" + broker.port())
                        .setReconnectAttempts(100)
                        .setRetryInterval(50)
                        .setConfirmationWindowSize(1024 * 1024)) {
            ClientSessionFactoryInternal factory = (ClientSessionFactoryInternal) locator.createSessionFactory();
            try (ClientSession session = factory.createSession()) {
                factory.getConnection().getTransportConnection().forceClose();
                await().ignoreExceptions()
                        .until(() ->
                                session.queueQuery(SimpleString.of("orders")).isExists());
            }
        }
    }

    private static void sendAndAwaitClose(EmbeddedArtemis broker, CHANNEL_ID channel, Packet packet) throws Exception {
        try (ServerLocator locator = ActiveMQClient.createServerLocator("tcp://127.0.0.1:" + broker.port())
                .setReconnectAttempts(0)) {
            CoreRemotingConnection connection = (CoreRemotingConnection)
                    ((ClientSessionFactoryInternal) locator.createSessionFactory()).getConnection();
            connection.getChannel(channel.id, -1).send(packet);
            await().until(() -> !connection.getTransportConnection().isOpen());
        }
    }

    private static FederationDownstreamConnectMessage federation(int port) {
        FederationAddressPolicyConfiguration policy = new FederationAddressPolicyConfiguration();
        policy.setName("all");
        policy.addInclude(new FederationAddressPolicyConfiguration.Matcher().setAddressMatch("#"));
        FederationDownstreamConfiguration stream = new FederationDownstreamConfiguration();
        stream.setName("stream");
        stream.addPolicyRef("all");
        stream.setUpstreamConfiguration(new TransportConfiguration(
                NettyConnectorFactory.class.getName(), Map.of("host", "127.0.0.1", "port", port), "out"));
        FederationDownstreamConnectMessage message = new FederationDownstreamConnectMessage();
        message.setName("federation");
        message.setStreamConfiguration(stream);
        message.setFederationPolicyMap(Map.of("all", policy));
        message.setTransformerConfigurationMap(Map.of());
        return message;
    }
}
