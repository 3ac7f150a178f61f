package io.caravanserai.config;

import io.caravanserai.event.EventType;
import io.caravanserai.order.OrderStyle;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The settings of a hub, each checked when read. {@link SettingsReader} makes them of a properties file, the environment
 * and system properties.
 *
 * @param dataDir {@code hub.data.dir}: database and broker journal
 * @param routesDir {@code hub.routes.dir}: the flows, {@code *.camel.yaml}
 * @param nodeId {@code hub.node.id}: made at start when not set
 * @param name {@code hub.name}: tells hubs apart that share a broker and have stores of their own
 * @param style {@code hub.orders.style}: of orders that do not name one
 * @param shippingCountries {@code hub.shipping.countries}: ISO 3166-1 alpha-2 codes
 * @param mail {@code hub.notification.mail.*}: empty when customers get no mail
 */
public record HubSettings(
        Path dataDir,
        Path routesDir,
        String nodeId,
        String name,
        OrderStyle style,
        Set<String> shippingCountries,
        Http http,
        Store store,
        Jms jms,
        Kafka kafka,
        Events events,
        Saga saga,
        Flows flows,
        Optional<Mail> mail,
        Security security,
        Log log) {

    /** Whether events go to Kafka beside the bus, which runs over something else. */
    public boolean eventsAlsoToKafka() {
        return kafka.mode() != Kafka.Mode.OFF && events.bus() != Events.Bus.KAFKA;
    }

    /**
     * {@code hub.http.*}
     *
     * @param port 0 takes a free one
     * @param answerWithin {@code hub.http.wait}: how long a POST waits for the order's end before it answers 202
     * @param requestTimeout how long a request may take to arrive, from its first to its last byte
     * @param idleTimeout how long a connection may do nothing, while no request on it is being answered
     * @param streams how many event streams there may be at once, of all clients together
     */
    public record Http(
            String host, int port, Duration answerWithin, Duration requestTimeout, Duration idleTimeout, int streams) {}

    /**
     * {@code hub.store.*}
     *
     * @param url empty for the embedded database, else {@code jdbc:postgresql://...}
     */
    public record Store(Optional<String> url, Optional<String> user, Optional<String> password) {}

    /**
     * {@code hub.jms.*}
     *
     * @param url empty for the embedded broker
     * @param port where the embedded broker listens; 0 takes a free one
     */
    public record Jms(Optional<String> url, int port) {
        public boolean isEmbedded() {
            return url.isEmpty();
        }
    }

    /**
     * {@code hub.kafka.*}
     *
     * @param mode off, embedded, or brokers outside
     * @param brokers {@code host:port} list; empty unless outside
     * @param port where the embedded broker listens; 0 takes a free one
     */
    public record Kafka(Mode mode, String brokers, int port) {
        public enum Mode {
            OFF,
            EMBEDDED,
            OUTSIDE
        }
    }

    /**
     * {@code hub.events.*}
     *
     * @param bus what carries events between services
     * @param emit versions to emit, by type; a type that is absent is emitted in its newest
     * @param retention how long events of orders that have ended are kept
     */
    public record Events(Bus bus, Map<EventType, List<Integer>> emit, Duration retention) {
        public enum Bus {
            JMS,
            KAFKA
        }
    }

    /**
     * {@code hub.saga.*}
     *
     * @param timeout a saga that has not ended by then is compensated
     * @param compensationAttempts then it is stuck
     * @param compensationBackoff before the second attempt; doubles up to 30 s
     */
    public record Saga(Duration timeout, int compensationAttempts, Duration compensationBackoff) {}

    /**
     * {@code hub.flows.*}
     *
     * @param allowedComponents what flows may use, each a component, {@code bean:NAME} or {@code language:NAME}; empty for
     *     all
     */
    public record Flows(Set<String> allowedComponents) {}

    /**
     * {@code hub.notification.mail.*}
     *
     * @param url {@code smtp} or {@code smtps}, a host and a port
     * @param login empty when the server asks for none
     * @param from the address that mail comes from
     * @param to a customer's address, with {@code {customerId}} where the id belongs
     */
    public record Mail(URI url, Optional<Login> login, String from, String to) {}

    /** Who logs in, with which password. */
    public record Login(String user, String password) {}

    /**
     * {@code hub.log.*}
     *
     * @param level of the hub's own lines and of the flows' log steps: trace, debug, info, warn, error or off
     * @param levels of packages, {@code hub.log.level.<package>}, by package
     */
    public record Log(Format format, String level, Map<String, String> levels) {
        /** One line of text, or one JSON object a line. */
        public enum Format {
            TEXT,
            JSON
        }

        /** Text, from info. */
        public static final Log DEFAULT = new Log(Format.TEXT, "info", Map.of());
    }

    /** {@code hub.security.api-keys}; no keys: open to loopback only. */
    public record Security(List<ApiKey> keys) {}

    /** @param sha256 of the key, lower-case hex */
    public record ApiKey(String name, Role role, String sha256) {}

    /** What a key may do; each role may do what the ones before it may, except that a viewer posts nothing. */
    public enum Role {
        VIEWER,
        SENDER,
        OPERATOR
    }
}
