package io.caravanserai.flow;

import io.caravanserai.flow.yaml.VersionedEndpoints;
import io.caravanserai.support.MessageHeaders;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.component.jms.JmsEndpoint;
import org.apache.camel.spi.EndpointStrategy;
import org.apache.camel.spi.HeaderFilterStrategy;
import org.apache.camel.spi.PropertyConfigurer;
import org.apache.camel.spi.PropertyConfigurerGetter;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.spi.SynchronizationRouteAware;
import org.apache.camel.support.RoutePolicySupport;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * Guards the edge of the hub in a Camel context. Every endpoint that consumes outside messages or receives replies from
 * outside drops the headers that only the hub may set. HTTP responses carry no header of the request. An endpoint
 * counts as outside unless known to be inside. Thread-safe.
 */
public final class HubEdge implements EndpointStrategy, RoutePolicyFactory {
    private static final String STRATEGY = "headerFilterStrategy";
    private static final String API_KEY = "X-API-Key";
    private static final String AUTHORIZATION = "Authorization";

    /** Components whose messages come from this process. */
    private static final Set<String> INSIDE =
            Set.of("direct", "seda", "events", "kamelet", "timer", "scheduler", "quartz", "cron", "once");

    private static final Set<String> HTTP = Set.of("platform-http", "rest");

    private final boolean hasKeys;

    private HubEdge(boolean hasKeys) {
        this.hasKeys = hasKeys;
    }

    /**
     * Guards a context. Call before the context has endpoints or routes of flows.
     * @param hasKeys whether the hub requires API keys; the key of a request is then hidden from flows
     */
    public static void guard(CamelContext context, boolean hasKeys) {
        HubEdge edge = new HubEdge(hasKeys);
        context.getCamelContextExtension().registerEndpointCallback(edge);
        context.addRoutePolicyFactory(edge);
    }

    @Override
    public Endpoint registerEndpoint(String uri, Endpoint endpoint) {
        if (isInside(endpoint) || endpoint.getComponent() == null) {
            return endpoint;
        }
        PropertyConfigurer configurer = endpoint.getComponent().getEndpointPropertyConfigurer();
        if (configurer instanceof PropertyConfigurerGetter options
                && options.getOptionType(STRATEGY, true) == HeaderFilterStrategy.class) {
            Object now = options.getOptionValue(endpoint, STRATEGY, true);
            if (!(now instanceof OutsideHeaders)) {
                configurer.configure(
                        endpoint.getCamelContext(),
                        endpoint,
                        STRATEGY,
                        new OutsideHeaders((HeaderFilterStrategy) now),
                        true);
            }
        }
        return endpoint;
    }

    @Override
    public RoutePolicy createRoutePolicy(CamelContext context, String routeId, NamedNode route) {
        return new IngressPolicy();
    }

    /** Queues between the routes of a flow version count as inside, although the queues are at the broker. */
    private static boolean isInside(Endpoint endpoint) {
        if (endpoint instanceof JmsEndpoint jms) {
            return !jms.isPubSubDomain() && VersionedEndpoints.isQueueOfVersion(jms.getDestinationName());
        }
        return INSIDE.contains(schemeOf(endpoint));
    }

    private static String schemeOf(Endpoint endpoint) {
        String uri = endpoint.getEndpointUri();
        int colon = uri.indexOf(':');
        return colon < 0 ? uri : uri.substring(0, colon);
    }

    /** Filters the headers of each message that enters a route. */
    private final class IngressPolicy extends RoutePolicySupport {
        private boolean inside;
        private boolean overHttp;

        @Override
        public void onInit(Route route) {
            inside = isInside(route.getEndpoint());
            overHttp = HTTP.contains(schemeOf(route.getEndpoint()));
        }

        @Override
        public void onExchangeBegin(Route route, Exchange exchange) {
            if (inside) {
                return;
            }
            Map<String, Object> headers = exchange.getMessage().getHeaders();
            // For components without a header filter strategy.
            headers.keySet().removeIf(MessageHeaders::isOfTheHub);
            if (overHttp) {
                if (hasKeys) {
                    headers.remove(API_KEY);
                    headers.remove(AUTHORIZATION);
                }
                exchange.getUnitOfWork().addSynchronization(new RequestHeaders(route, headers));
            }
        }
    }

    /** Removes the headers of a request from the response, except headers that the flow has set. */
    private static final class RequestHeaders extends SynchronizationAdapter implements SynchronizationRouteAware {
        private final Route route;
        private final Map<String, Object> request = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

        RequestHeaders(Route route, Map<String, Object> headers) {
            this.route = route;
            request.putAll(headers);
        }

        @Override
        public SynchronizationRouteAware getRouteSynchronization() {
            return this;
        }

        @Override
        public void onBeforeRoute(Route each, Exchange exchange) {
            // The headers of the request are already recorded.
        }

        @Override
        public void onAfterRoute(Route each, Exchange exchange) {
            if (each == route) {
                // Compares by identity: the flow may set an equal text.
                exchange.getMessage()
                        .getHeaders()
                        .entrySet()
                        .removeIf(header ->
                                header.getValue() != null && header.getValue() == request.get(header.getKey()));
            }
        }
    }
}
