package io.caravanserai.jms;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.bus.EventBus;
import io.caravanserai.bus.EventBusContract;
import io.caravanserai.bus.EventBusListener;
import io.caravanserai.bus.HubName;
import io.caravanserai.bus.Retry;
import io.caravanserai.config.HubSettings;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.event.EventCodec;
import io.caravanserai.event.EventSchemas;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.support.Ids;
import jakarta.jms.Connection;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

class JmsEventBusIT extends EventBusContract {
    @TempDir
    static Path folder;

    private static JmsBroker broker;
    private static Store store;
    private static DeadLetters letters;
    private static JmsDeadLetters jmsLetters;

    @BeforeAll
    static void start() {
        broker = JmsBroker.start(new HubSettings.Jms(Optional.empty(), 0), folder.resolve("broker"), List.of());
        store = SqliteStore.open(folder);
        letters = new DeadLetters(store, new Ids(), Clock.systemUTC());
        jmsLetters = new JmsDeadLetters(letters, broker);
    }

    @AfterAll
    static void stop() {
        jmsLetters.close();
        store.close();
        broker.close();
    }

    @Override
    protected EventBus open(Retry retry) {
        return new JmsEventBus(
                broker,
                HubName.DEFAULT,
                new EventCodec(new EventSchemas(), Map.of()),
                retry,
                jmsLetters,
                new EventBusListener() {},
                EventBusContract.ALL_RECORDED);
    }

    @Override
    protected DeadLetters deadLetters() {
        return letters;
    }

    @Override
    protected void sendRaw(Map<String, String> attributes, String data) throws Exception {
        try (Connection connection = broker.connect()) {
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            TextMessage message = session.createTextMessage(data);
            for (Map.Entry<String, String> attribute : attributes.entrySet()) {
                message.setStringProperty("cloudEvents_" + attribute.getKey(), attribute.getValue());
            }
            session.createProducer(session.createTopic("order-events")).send(message);
        }
    }
}
