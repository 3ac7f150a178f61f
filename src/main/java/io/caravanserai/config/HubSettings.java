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
 * The settings of a hub, each checked when read. {@link SettingsReader} builds the settings from a properties file, the
 * environment and system properties.
 * @param dataDir {@code hub.data.dir}: database and broker journal
 * @param routesDir {@code hub.routes.dir}: the flows, {@code *.camel.yaml}
 * @param nodeId {@code hub.node.id}: generated at start when not set
 * @param name {@code hub.name}: distinguishes hubs that share a broker and have separate stores
 * @param style {@code hub.orders.style}: the style of orders without a style
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

    /** Whether events go to Kafka in addition to a bus over JMS. */
    public boolean eventsAlsoToKafka() {
        return kafka.mode() != Kafka.Mode.OFF && events.bus() != Events.Bus.KAFKA;
    }

    /**
     * {@code hub.http.*}
     * @param port 0 takes a free port
     * @param answerWithin {@code hub.http.wait}: how long a POST waits for the end of the order before the answer 202
     * @param requestTimeout maximum time from the first to the last byte of a request
     * @param idleTimeout maximum idle time of a connection without a request in progress
     * @param streams maximum number of open event streams, over all clients
     */
    public record Http(
            String host, int port, Duration answerWithin, Duration requestTimeout, Duration idleTimeout, int streams) {}

    /**
     * {@code hub.store.*}
     * @param url empty for the embedded database, else {@code jdbc:postgresql://...}
     */
    public record Store(Optional<String> url, Optional<String> user, Optional<String> password) {}

    /**
     * {@code hub.jms.*}
     * @param url empty for the embedded broker
     * @param port of the embedded broker; 0 takes a free port
     */
    public record Jms(Optional<String> url, int port) {
        public boolean isEmbedded() {
            return url.isEmpty();
        }
    }

    /**
     * {@code hub.kafka.*}
     * @param mode off, embedded, or outside brokers
     * @param brokers {@code host:port} list; empty unless outside
     * @param port of the embedded broker; 0 takes a free port
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
     * @param bus the carrier of events between services
     * @param emit versions to emit, by type; a missing type is emitted in the newest version
     * @param retention how long events of ended orders are kept
     */
    public record Events(Bus bus, Map<EventType, List<Integer>> emit, Duration retention) {
        public enum Bus {
            JMS,
            KAFKA
        }
    }

    /**
     * {@code hub.saga.*}
     * @param timeout age at which an unfinished saga is compensated
     * @param compensationAttempts number of attempts before the saga is stuck
     * @param compensationBackoff delay before the second attempt; doubles up to 30 s
     */
    public record Saga(Duration timeout, int compensationAttempts, Duration compensationBackoff) {}

    /**
     * {@code hub.flows.*}
     * @param allowedComponents allowed in flows, each a component, {@code bean:NAME} or {@code language:NAME}; empty
     *     allows all
     */
    public record Flows(Set<String> allowedComponents) {}

    /**
     * {@code hub.notification.mail.*}
     * @param url {@code smtp} or {@code smtps}, a host and a port
     * @param login empty when the server needs no login
     * @param from sender address of mail
     * @param to address of a customer, with {@code {customerId}} in place of the id
     */
    public record Mail(URI url, Optional<Login> login, String from, String to) {}

    /** The login at a server. */
    public record Login(String user, String password) {}

    /**
     * {@code hub.log.*}
     * @param level of log lines of the hub and of log steps in flows: trace, debug, info, warn, error or off
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

    /** {@code hub.security.api-keys}; without keys only loopback has access. */
    public record Security(List<ApiKey> keys) {}

    /** @param sha256 of the key, lower-case hex */
    public record ApiKey(String name, Role role, String sha256) {}

    /** The rights of a key. Each role includes the rights of the roles before, except that a viewer posts nothing. */
    public enum Role {
        VIEWER,
        SENDER,
        OPERATOR
    }
}
