package io.caravanserai.app;

import static org.awaitility.Awaitility.await;

import io.caravanserai.config.SettingsReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Map;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.core.config.CoreAddressConfiguration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An outside broker that creates no queues automatically and lacks the queue of orders. */
class StrictBrokerIT {
    private static final String URL = "vm://90211";

    @TempDir
    private Path folder;

    private final EmbeddedActiveMQ broker = new EmbeddedActiveMQ();

    @BeforeEach
    void start() throws Exception {
        broker.setConfiguration(new ConfigurationImpl()
                .setSecurityEnabled(false)
                .setPersistenceEnabled(false)
                .setMaxDiskUsage(-1)
                .addAcceptorConfiguration("here", URL)
                .addAddressSetting(
                        "#", new AddressSettings().setAutoCreateQueues(false).setAutoCreateAddresses(false))
                .addAddressConfiguration(
                        new CoreAddressConfiguration().setName("order-events").addRoutingType(RoutingType.MULTICAST)));
        broker.start();
    }

    @AfterEach
    void stop() throws Exception {
        broker.stop();
    }

    @Test
    void hubReportsMissingOrdersQueueUntilCreated() throws Exception {
        Map<String, String> settings =
                Map.of("hub.data.dir", folder.toString(), "hub.http.port", "0", "hub.jms.url", URL);
        try (Hub hub = Hub.start(new SettingsReader(Map.of(), settings).read().settings())) {
            await().until(() -> ready(hub), answer -> answer.contains("no queue with name orders"));

            broker.getActiveMQServer()
                    .createQueue(QueueConfiguration.of("orders")
                            .setRoutingType(RoutingType.ANYCAST)
                            .setAutoCreateAddress(true));

            await().until(() -> ready(hub), answer -> answer.startsWith("{\"status\":\"UP\""));
        }
    }

    private static String ready(Hub hub) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + hub.port() + "/observe/health/ready");
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
                .body();
    }
}
