import jakarta.jms.JMSConsumer;
import jakarta.jms.JMSContext;
import jakarta.jms.Message;
import jakarta.jms.TextMessage;
import java.util.UUID;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/**
 * Sends an order over JMS, prints the reply, and then the order's events until it has ended. Nothing but the Artemis
 * client, which is in the hub's lib folder:
 *
 * <pre>java -cp "target/hub/lib/*" docs/examples/JmsOrder.java [tcp://host:61616]</pre>
 */
public class JmsOrder {
    private static final long MINUTE = 60_000;

    public static void main(String[] arguments) throws Exception {
        String url = arguments.length > 0 ? arguments[0] : "tcp://localhost:61616";
        String id = "jms-" + UUID.randomUUID();
        String body = """
                {"orderId": "%s", "customerId": "C-789", "items": [{"sku": "SADDLE-01", "quantity": 2, "unitPrice": 50.00}],
                 "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}""".formatted(id);

        try (var factory = new ActiveMQConnectionFactory(url);
                JMSContext context = factory.createContext(JMSContext.CLIENT_ACKNOWLEDGE)) {
            // The broker keeps events under this name while nobody listens, until context.unsubscribe("jms-order").
            JMSConsumer events = context.createSharedDurableConsumer(context.createTopic("order-events"), "jms-order");

            var replies = context.createTemporaryQueue();
            TextMessage order = context.createTextMessage(body);
            order.setJMSReplyTo(replies);
            order.setStringProperty("idempotencyKey", id);
            order.setStringProperty("style", "queue");
            context.createProducer().send(context.createQueue("orders"), order);
            System.out.println("sent " + id);

            Message reply = context.createConsumer(replies).receive(MINUTE);
            if (reply == null || !order.getJMSMessageID().equals(reply.getJMSCorrelationID())) {
                System.err.println("no reply within a minute");
                System.exit(1);
            }
            System.out.println("reply " + reply.getBody(String.class));

            Message event;
            while ((event = events.receive(MINUTE)) != null) {
                event.acknowledge();
                if (id.equals(event.getStringProperty("cloudEvents_subject"))) {
                    String type = event.getStringProperty("cloudEvents_type");
                    System.out.println(type + " " + event.getBody(String.class));
                    if (type.equals("OrderShipped") || type.equals("OrderCancelled")) {
                        return;
                    }
                }
            }
            System.err.println("no more events within a minute");
            System.exit(1);
        }
    }
}
