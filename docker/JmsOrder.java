import jakarta.jms.JMSContext;
import jakarta.jms.Message;
import jakarta.jms.TextMessage;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/** Sends an order to the queue {@code orders} of the broker at the URL given, and prints the reply. */
public class JmsOrder {
    public static void main(String[] arguments) throws Exception {
        try (ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(arguments[0]);
                JMSContext context = factory.createContext()) {
            var replies = context.createTemporaryQueue();
            TextMessage order = context.createTextMessage("""
                    {"customerId": "C-789", "items": [{"sku": "SADDLE-01", "quantity": 2, "unitPrice": 50.00}],
                     "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}""");
            order.setJMSReplyTo(replies);
            context.createProducer().send(context.createQueue("orders"), order);
            Message reply = context.createConsumer(replies).receive(60_000);
            System.out.println(reply == null ? "no reply" : reply.getBody(String.class));
        }
    }
}
