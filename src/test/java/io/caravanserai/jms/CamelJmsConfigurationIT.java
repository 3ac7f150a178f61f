package io.caravanserai.jms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.broker.JmsBroker;
import io.caravanserai.bus.HubName;
import io.caravanserai.config.HubSettings;
import jakarta.jms.Connection;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TextMessage;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.core.protocol.core.impl.PacketImpl;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.jms.JmsComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CamelJmsConfigurationIT {
    @TempDir
    private Path folder;

    private final AtomicInteger questionsToBroker = new AtomicInteger();
    private final CountDownLatch impatient = new CountDownLatch(1);
    private JmsBroker broker;
    private DefaultCamelContext context;

    @BeforeEach
    void start() throws Exception {
        broker = JmsBroker.start(new HubSettings.Jms(Optional.empty(), 0), folder.resolve("broker"), List.of());
        ActiveMQConnectionFactory connections =
                (ActiveMQConnectionFactory) broker.pool().getConnectionFactory();
        connections.getServerLocator().addOutgoingInterceptor((packet, connection) -> {
            if (packet.getType() == PacketImpl.SESS_BINDINGQUERY || packet.getType() == PacketImpl.SESS_QUEUEQUERY) {
                questionsToBroker.incrementAndGet();
            }
            return true;
        });
        context = new DefaultCamelContext();
        context.addComponent(
                "jms", new JmsComponent(new CamelJmsConfiguration(broker.pool(), HubName.DEFAULT, queue -> false)));
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:asker").to("jms:queue:asked?transacted=false");
                from("jms:queue:asked").setBody(simple("answer to ${body}"));
                from("jms:queue:slow").process(exchange -> impatient.await()).setBody(constant("too late"));
            }
        });
        context.start();
    }

    @AfterEach
    void stop() {
        context.stop();
        broker.close();
    }

    @Test
    void brokerIsNotQueriedForReplyQueueBeforeEachReply() throws Exception {
        int count = 50;
        try (ProducerTemplate client = context.createProducerTemplate()) {
            for (int i = 0; i < count; i++) {
                assertThat(client.requestBody("direct:asker", "question " + i, String.class))
                        .isEqualTo("answer to question " + i);
            }
        }

        // Each session of the pool queries the broker once for an unknown queue.
        assertThat(questionsToBroker).hasValueLessThan(count);
    }

    @Test
    void replyToMissingTemporaryQueueIsDroppedAndRequestAcknowledged() throws Exception {
        String replies;
        try (Connection theirs = broker.connect();
                Session session = theirs.createSession(Session.AUTO_ACKNOWLEDGE)) {
            TemporaryQueue queue = session.createTemporaryQueue();
            replies = queue.getQueueName();
            TextMessage question = session.createTextMessage("are you there?");
            question.setJMSReplyTo(queue);
            session.createProducer(session.createQueue("slow")).send(question);
            await().until(() -> queue("slow").getMessageCount() == 1);
        }
        await().until(() -> !queue(replies).isExists());

        impatient.countDown();

        await().until(() -> queue("slow").getMessageCount() == 0);
        assertThat(queue(replies).isExists()).isFalse();
        assertThat(queue("DLQ").getMessageCount()).isZero();
    }

    private ClientSession.QueueQuery queue(String name) throws Exception {
        try (Connection connection = broker.connect();
                Session session = connection.createSession()) {
            return TemporaryDestinations.core(session).orElseThrow().queueQuery(SimpleString.of(name));
        }
    }
}
