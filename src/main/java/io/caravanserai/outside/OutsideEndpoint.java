package io.caravanserai.outside;

import io.caravanserai.service.StepName;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.ExchangePattern;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.util.URISupport;
import org.apache.camel.util.UnsafeUriCharactersEncoder;
import org.apache.kafka.common.errors.RetriableException;

/** The address and the options of an outside service. */
final class OutsideEndpoint extends DefaultEndpoint {
    private static final int MOST_AT_ONCE = 10_000;
    /** Permanent failures of JMS, by simple class name: of JMS, and of the wrappers of Spring. */
    private static final Set<String> FINAL_IN_JMS = Set.of(
            "InvalidDestinationException",
            "JMSSecurityException",
            "JmsSecurityException",
            "MessageFormatException",
            "MessageNotWriteableException",
            "MessageConversionException",
            "NoTypeConversionAvailableException");

    private final OutsideComponent component;
    private final String remaining;
    private String method;
    private AcceptedStatuses accepted;
    private Duration timeout;
    private int maxConcurrent;
    private StepName step;
    private Optional<CallAction> action;
    private List<String> headers;
    private String query;

    OutsideEndpoint(String uri, OutsideComponent component, String remaining) {
        super(uri, component);
        this.component = component;
        this.remaining = remaining;
    }

    /** @throws IllegalArgumentException for an invalid parameter; the message names the parameter */
    void take(Map<String, Object> parameters) throws Exception {
        method = text(parameters, "method", "POST").toUpperCase(Locale.ROOT);
        accepted = AcceptedStatuses.of(text(parameters, "accept", "200-299"));
        timeout = Duration.ofMillis(number(parameters, "timeout", "2000", Integer.MAX_VALUE));
        maxConcurrent = number(parameters, "atOnce", "64", MOST_AT_ONCE);
        step = new StepName(text(parameters, "step", "process-payment"));
        action = Optional.ofNullable(text(parameters, "action", null)).map(CallAction::ofWire);
        headers = Arrays.stream(text(parameters, "headers", "").split(","))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
        // The remaining parameters belong to the address of the service.
        // Not every service reads a plus sign as a space.
        query = URISupport.createQueryString(parameters).replace("+", "%20");
        parameters.clear();
        if (!isHttp() && !remaining.matches("(jms|kafka):.+")) {
            throw new IllegalArgumentException("'" + remaining + "' is no service outside: it begins with http:// or"
                    + " https://, or is jms: and the name of a queue, or kafka: and that of a topic");
        }
    }

    private static String text(Map<String, Object> parameters, String name, String usual) {
        Object value = parameters.remove(name);
        return value == null ? usual : value.toString().strip();
    }

    private static int number(Map<String, Object> parameters, String name, String usual, int most) {
        String text = text(parameters, name, usual);
        if (!text.matches("[0-9]{1,9}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > most) {
            throw new IllegalArgumentException(name + ": '" + text + "' is no whole number from 1 to " + most);
        }
        return Integer.parseInt(text);
    }

    private boolean isHttp() {
        return remaining.matches("https?://.+");
    }

    /** Returns the address of the service; all calls to the address share one line. */
    String target() {
        if (!isHttp()) {
            return remaining;
        }
        String url = UnsafeUriCharactersEncoder.encodeHttpURI(remaining);
        return query.isEmpty() ? url : url + "?" + query;
    }

    StepName step() {
        return step;
    }

    /** Returns the configured purpose of calls; empty to derive the purpose from the message. */
    Optional<CallAction> action() {
        return action;
    }

    /** Returns the message headers to send in addition to the default headers. */
    List<String> headers() {
        return headers;
    }

    int maxConcurrent() {
        return maxConcurrent;
    }

    OutsideCalls calls() {
        return component.calls();
    }

    /** Whether the variable {@code answer} receives the answer of the service. */
    boolean isAnswered() {
        return !remaining.startsWith("kafka:");
    }

    boolean isOverKafka() {
        return remaining.startsWith("kafka:");
    }

    Transport open() throws Exception {
        if (isHttp()) {
            return new HttpTransport(
                    component.vertx(), new HttpTransport.Target(target(), method, accepted, timeout), maxConcurrent);
        }
        String name = remaining.substring(remaining.indexOf(':') + 1);
        long millis = timeout.toMillis();
        if (isOverKafka()) {
            return new CamelTransport(
                    topic(name),
                    ExchangePattern.InOnly,
                    // The Kafka client withdraws a record that was not sent in time; the outcome of the client decides.
                    timeout.multipliedBy(3),
                    failure -> failure instanceof org.apache.kafka.common.KafkaException
                            && !(failure instanceof RetriableException),
                    calls());
        }
        return new CamelTransport(
                getCamelContext()
                        .getEndpoint("jms:queue:" + name + "?exchangePattern=InOut&transacted=false&requestTimeout="
                                + millis),
                ExchangePattern.InOut,
                timeout,
                failure -> FINAL_IN_JMS.contains(failure.getClass().getSimpleName()),
                calls());
    }

    /** @throws IllegalArgumentException if Kafka is off; the message names the setting */
    private Endpoint topic(String name) {
        long millis = timeout.toMillis();
        Endpoint topic = getCamelContext()
                .getEndpoint("kafka:" + name + "?requestRequiredAcks=all&maxBlockMs=" + millis + "&requestTimeoutMs="
                        + millis + "&deliveryTimeoutMs=" + millis);
        if (topic instanceof KafkaEndpoint kafka && kafka.getConfiguration().getBrokers() == null) {
            throw new IllegalArgumentException(
                    "cannot send to the Kafka topic " + name + ": Kafka is off, set hub.kafka.brokers");
        }
        return topic;
    }

    @Override
    public Producer createProducer() {
        if (isOverKafka()) {
            topic(remaining.substring(remaining.indexOf(':') + 1));
        }
        return new OutsideProducer(this);
    }

    @Override
    public Consumer createConsumer(Processor processor) {
        throw new UnsupportedOperationException("a service outside is called; nothing comes from it");
    }

    @Override
    public boolean isLenientProperties() {
        return true;
    }
}
