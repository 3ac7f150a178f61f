package io.caravanserai.intake;

import io.caravanserai.intake.OrderMessages.Taken;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.InvalidPayloadException;
import org.apache.camel.Message;
import org.apache.camel.MultipleConsumersSupport;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultAsyncProducer;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultEndpoint;

/**
 * Camel component of the ways in: {@code from: orders:jms:QUEUE} and {@code from: orders:kafka:TOPIC} receive messages,
 * and {@code to: orders:submit} makes the body an order of the hub. A message is acknowledged when its route has ended,
 * so that a route which submits and does not hand on to another thread loses no order.
 */
public final class OrdersComponent extends DefaultComponent {
    /** Exchange property with the {@link Submission} of the received message. */
    static final String SUBMISSION = "CaravanseraiSubmission";

    /** Header with the style of the order; the default style when absent. */
    static final String STYLE = "style";

    /** Header with the idempotency key of the order. */
    static final String IDEMPOTENCY_KEY = "idempotencyKey";

    private static final String SUBMIT = "submit";

    /** JMS queues and Kafka topics. */
    private static final Pattern SOURCE = Pattern.compile("(jms|kafka):[A-Za-z0-9._-]{1,200}");

    @Override
    protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) {
        if (!SUBMIT.equals(remaining) && !SOURCE.matcher(remaining).matches()) {
            throw new IllegalArgumentException("there is no orders:" + remaining
                    + "; use orders:jms:QUEUE, orders:kafka:TOPIC or orders:submit, with names of letters, digits, "
                    + "dots, dashes and underscores");
        }
        return new OrdersEndpoint(uri, this, remaining);
    }

    private <T> Optional<T> shared(Class<T> type) {
        return Optional.ofNullable(getCamelContext().getRegistry().findSingleByType(type));
    }

    private final class OrdersEndpoint extends DefaultEndpoint implements MultipleConsumersSupport {
        private final String name;

        OrdersEndpoint(String uri, OrdersComponent component, String name) {
            super(uri, component);
            this.name = name;
        }

        @Override
        public Consumer createConsumer(Processor processor) throws Exception {
            if (SUBMIT.equals(name)) {
                throw new IllegalArgumentException("orders:submit takes orders and is no source; a route begins with "
                        + "orders:jms:QUEUE or orders:kafka:TOPIC");
            }
            OrdersConsumer consumer = new OrdersConsumer(
                    this, processor, name, shared(IntakeRoutes.class).orElse(null));
            configureConsumer(consumer);
            return consumer;
        }

        @Override
        public Producer createProducer() {
            if (!SUBMIT.equals(name)) {
                throw new IllegalArgumentException("orders:" + name + " is a source; submit orders to orders:submit");
            }
            return new SubmitProducer(this, shared(FlowOrders.class));
        }

        @Override
        public boolean isMultipleConsumersSupported() {
            return true;
        }

        @Override
        public boolean isLenientProperties() {
            return false;
        }
    }

    /** Submits the body as an order. Sets the header {@code orderId}; fails with {@link OrderRefusedException}. */
    private static final class SubmitProducer extends DefaultAsyncProducer {
        private final Optional<FlowOrders> flowOrders;

        SubmitProducer(Endpoint endpoint, Optional<FlowOrders> flowOrders) {
            super(endpoint);
            this.flowOrders = flowOrders;
        }

        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
            try {
                submit(exchange, callback);
                return false;
            } catch (InvalidPayloadException | RuntimeException e) {
                exchange.setException(e);
                callback.done(true);
                return true;
            }
        }

        private void submit(Exchange exchange, AsyncCallback callback) throws InvalidPayloadException {
            Message message = exchange.getMessage();
            submission(exchange)
                    .submit(
                            body(message),
                            header(message, STYLE),
                            header(message, IDEMPOTENCY_KEY),
                            Optional.ofNullable(exchange.getProperty(ExchangePropertyKey.SPLIT_INDEX, Integer.class)))
                    .whenComplete((taken, failure) -> {
                        if (failure != null) {
                            exchange.setException(failure);
                        } else if (taken instanceof Taken.Refused refused) {
                            exchange.setException(new OrderRefusedException(refused));
                        } else {
                            message.setHeader("orderId", ((Taken.Order) taken).orderId());
                        }
                        callback.done(false);
                    });
        }

        private Submission submission(Exchange exchange) {
            Submission received = exchange.getProperty(SUBMISSION, Submission.class);
            return received != null
                    ? received
                    : flowOrders
                            .map(orders -> orders.submission(exchange.getMessage()))
                            .orElseThrow(() -> new IllegalStateException("this hub takes no orders"));
        }

        private static byte[] body(Message message) throws InvalidPayloadException {
            if (message.getBody() instanceof byte[] bytes) {
                return bytes;
            }
            return message.getBody() == null
                    ? null
                    : message.getMandatoryBody(String.class).getBytes(StandardCharsets.UTF_8);
        }

        private static Optional<String> header(Message message, String name) {
            return Optional.ofNullable(message.getHeader(name, String.class)).filter(value -> !value.isBlank());
        }
    }
}
