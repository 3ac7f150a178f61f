package io.caravanserai.config;

import io.caravanserai.event.EventType;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** Every setting of the hub, with what it is when nobody sets it. */
public enum Setting {
    HTTP_HOST("hub.http.host", "127.0.0.1", "the address the HTTP server listens on"),
    HTTP_PORT("hub.http.port", "8080", "its port; 0 takes a free one"),
    HTTP_WAIT("hub.http.wait", "10s", "how long a POST of an order waits for its end before it answers 202"),
    HTTP_REQUEST_TIMEOUT("hub.http.request-timeout", "60s", "how long a request may take to arrive as a whole"),
    HTTP_IDLE_TIMEOUT("hub.http.idle-timeout", "120s", "how long a connection may do nothing before it is closed"),
    HTTP_STREAMS("hub.http.streams", "500", "how many event streams there may be at once, of all clients together"),
    DATA_DIR("hub.data.dir", "data", "the folder of the database and the broker's journal"),
    ROUTES_DIR("hub.routes.dir", "", "the folder of the flows; empty: routes/ beside the hub, or of the checkout"),
    NODE_ID("hub.node.id", "", "this hub's name among several on one database; empty: made at start"),
    NAME("hub.name", "hub", "this hub's name among several with stores of their own on one broker"),
    STORE_URL("hub.store.url", "", "jdbc:postgresql://..., or empty for the embedded database"),
    STORE_USER("hub.store.user", "", "who logs in to the database"),
    STORE_PASSWORD("hub.store.password", "", "with which password"),
    JMS_URL("hub.jms.url", "embedded", "embedded, or the broker's tcp://host:61616"),
    JMS_PORT("hub.jms.port", "61616", "where the embedded JMS broker listens; 0 takes a free port"),
    KAFKA_BROKERS("hub.kafka.brokers", "off", "off, embedded, or host:9092,..."),
    KAFKA_PORT("hub.kafka.port", "9092", "where the embedded Kafka broker listens; 0 takes a free port"),
    EVENTS_BUS("hub.events.bus", "jms", "what carries events between services: jms or kafka"),
    EVENTS_RETENTION("hub.events.retention", "30d", "how long events of orders that have ended are kept"),
    ORDERS_STYLE(
            "hub.orders.style",
            "request-reply",
            "of orders that name none: request-reply, queue, pubsub, choreography, or STYLE of a flow order-STYLE.camel.yaml"),
    SHIPPING_COUNTRIES("hub.shipping.countries", "", "ISO codes, comma separated; empty: every country but AQ"),
    FLOWS_ALLOWED_COMPONENTS(
            "hub.flows.allowed-components",
            "",
            "what flows may use: components, bean:NAME, language:NAME, comma separated; empty: all"),
    SAGA_TIMEOUT("hub.saga.timeout", "60s", "a saga that has not ended by then is compensated"),
    SAGA_COMPENSATION_ATTEMPTS(
            "hub.saga.compensation.attempts", "10", "how often a compensation is tried before its saga is stuck"),
    SAGA_COMPENSATION_BACKOFF(
            "hub.saga.compensation.backoff", "100ms", "wait before its second attempt; doubles up to 30s"),
    MAIL_URL("hub.notification.mail.url", "", "smtp://host:587 or smtps://host:465; empty: no mail to customers"),
    MAIL_USER("hub.notification.mail.user", "", "who logs in to the mail server; empty: nobody"),
    MAIL_PASSWORD("hub.notification.mail.password", "", "with which password"),
    MAIL_FROM("hub.notification.mail.from", "", "the address that mail to customers comes from"),
    MAIL_TO("hub.notification.mail.to", "{customerId}", "a customer's address; {customerId} is put in"),
    LOG_FORMAT("hub.log.format", "text", "form of the log: text or json"),
    LOG_LEVEL("hub.log.level", "info", "of the hub's own lines and the flows' log steps; libraries log from warn"),
    SECURITY_API_KEYS("hub.security.api-keys", "", "name:role:sha256, comma separated; roles viewer, sender, operator");

    /** With an event type behind it, such as {@code hub.events.emit.OrderShipped}: the versions to emit. */
    static final String EMIT = "hub.events.emit.";
    /** With a package behind it, such as {@code hub.log.level.org.apache.camel}: the level of its lines. */
    static final String LOG_LEVELS = "hub.log.level.";

    private final String key;
    private final String usual;
    private final String meaning;

    Setting(String key, String usual, String meaning) {
        this.key = key;
        this.usual = usual;
        this.meaning = meaning;
    }

    public String key() {
        return key;
    }

    /** The value when nobody sets one; empty where the meaning says what that means. */
    String usual() {
        return usual;
    }

    String meaning() {
        return meaning;
    }

    /** The name of the environment variable of a key: {@code HUB_HTTP_PORT} of {@code hub.http.port}. */
    static String variable(String key) {
        return key.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
    }

    /** The known key that looks most like this one. */
    static String nearest(String key) {
        LevenshteinDistance distance = LevenshteinDistance.getDefaultInstance();
        Stream<String> emit = Arrays.stream(EventType.values()).map(type -> EMIT + type);
        return Stream.concat(Arrays.stream(values()).map(Setting::key), emit)
                .min(Comparator.comparingInt(known -> distance.apply(known, key)))
                .orElseThrow();
    }
}
