package io.caravanserai.flow;

import io.caravanserai.flow.yaml.VersionedEndpoints;
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
 * Guards the hub's edge in a Camel context: every endpoint that takes messages from outside, or gets answers from there,
 * drops the headers that only the hub may set; and answers over HTTP carry no header of their request. What is not known
 * to be inside is outside. Thread-safe.
 */
public final class HubEdge implements EndpointStrategy, RoutePolicyFactory {
    private static final String STRATEGY = "headerFilterStrategy";
    private static final String API_KEY = "X-API-Key";
    private static final String AUTHORIZATION = "Authorization";

    /** Their messages are made in this process. */
    private static final Set<String> INSIDE =
            Set.of("direct", "seda", "events", "kamelet", "timer", "scheduler", "quartz", "cron", "once");

    private static final Set<String> HTTP = Set.of("platform-http", "rest");

    private final boolean hasKeys;

    private HubEdge(boolean hasKeys) {
        this.hasKeys = hasKeys;
    }

    /**
     * Guards a context. To be called before it has endpoints or routes of flows.
     *
     * @param hasKeys whether the hub asks for keys: the key of a request has then done its work, and no flow sees it
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
        return new Entrance();
    }

    /** Queues between the routes of a version of a flow are inside, though they are at the broker. */
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

    /** What happens to a message that enters by a route. */
    private final class Entrance extends RoutePolicySupport {
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
            // Components that let no strategy decide what they take.
            headers.keySet().removeIf(OutsideHeaders::isOfTheHub);
            if (overHttp) {
                if (hasKeys) {
                    headers.remove(API_KEY);
                    headers.remove(AUTHORIZATION);
                }
                exchange.getUnitOfWork().addSynchronization(new RequestHeaders(route, headers));
            }
        }
    }

    /** Takes the headers of a request off what would be its answer, unless the flow has set them anew. */
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
            // The request has come by then.
        }

        @Override
        public void onAfterRoute(Route each, Exchange exchange) {
            if (each == route) {
                // The very same object: an equal text may be the flow's own answer.
                exchange.getMessage()
                        .getHeaders()
                        .entrySet()
                        .removeIf(header ->
                                header.getValue() != null && header.getValue() == request.get(header.getKey()));
            }
        }
    }
}
