package io.caravanserai.broker;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.jms.Connection;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.activemq.artemis.jms.client.ActiveMQSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedArtemisIT {
    @TempDir
    private Path folder;

    @Test
    void hubConnectionsWakeNoBrokerThreadToReadPackets() throws Exception {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        try (EmbeddedArtemis broker = EmbeddedArtemis.start(folder, 0, List.of());
                ActiveMQConnectionFactory connections = broker.connections();
                Connection first = connections.createConnection();
                Connection second = connections.createConnection()) {
            send(first, 100);
            send(second, 100);

            assertThat(receive(second, 200)).isEqualTo(200);

            Set<Thread> woken = new HashSet<>(Thread.getAllStackTraces().keySet());
            woken.removeAll(before);
            assertThat(woken).extracting(Thread::getName).noneMatch(name -> name.contains("remoting-service"));
        }
    }

    @Test
    void deleteIdleDeletesMatchingQueuesWithoutMessagesAndConsumers() throws Exception {
        List<String> queues = List.of("left@1", "held@1", "heard@1", "another");
        try (EmbeddedArtemis broker = EmbeddedArtemis.start(folder, 0, List.of());
                ActiveMQConnectionFactory connections = broker.connections();
                Connection connection = connections.createConnection();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE)) {
            for (String queue : queues) {
                session.createConsumer(session.createQueue(queue)).close();
            }
            session.createProducer(session.createQueue("held@1")).send(session.createTextMessage("held"));
            session.createConsumer(session.createQueue("heard@1"));

            broker.deleteIdle(name -> name.endsWith("@1"));

            ClientSession core = ((ActiveMQSession) session).getCoreSession();
            List<String> left = new ArrayList<>();
            for (String queue : queues) {
                if (core.queueQuery(SimpleString.of(queue)).isExists()) {
                    left.add(queue);
                }
            }
            assertThat(left).containsExactly("held@1", "heard@1", "another");
            assertThat(core.addressQuery(SimpleString.of("left@1")).isExists()).isFalse();
        }
    }

    private static void send(Connection connection, int count) throws Exception {
        try (Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
                MessageProducer producer = session.createProducer(session.createQueue("orders"))) {
            for (int i = 0; i < count; i++) {
                producer.send(session.createTextMessage("order " + i));
            }
            session.commit();
        }
    }

    private static int receive(Connection connection, int count) throws Exception {
        connection.start();
        int received = 0;
        try (Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
                MessageConsumer consumer = session.createConsumer(session.createQueue("orders"))) {
            while (received < count && consumer.receive(60_000) != null) {
                received++;
            }
        }
        return received;
    }
}
