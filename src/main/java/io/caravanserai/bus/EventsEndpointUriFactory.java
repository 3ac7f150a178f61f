package io.caravanserai.bus;

import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.camel.spi.EndpointUriFactory;
import org.apache.camel.support.component.EndpointUriFactorySupport;

/**
 * Builds the URI of an {@code events:} endpoint from name and options under {@code parameters}, and lists the options.
 * The name is optional and defaults to the only name: editors that do not know the component drop the name.
 */
public final class EventsEndpointUriFactory extends EndpointUriFactorySupport implements EndpointUriFactory {
    private static final Set<String> OPTIONS =
            Set.of("name", "subscriber", "style", "types", "bridgeErrorHandler", "exceptionHandler", "exchangePattern");

    @Override
    public boolean isEnabled(String scheme) {
        return "events".equals(scheme);
    }

    @Override
    public String buildUri(String scheme, Map<String, Object> properties, boolean encode) throws URISyntaxException {
        Map<String, Object> options = new HashMap<>(properties);
        Object name = options.remove("name");
        String uri = scheme + ":" + (name == null ? EventsComponent.ORDER_EVENTS : name);
        return buildQueryParameters(uri, options, encode);
    }

    @Override
    public Set<String> propertyNames() {
        return OPTIONS;
    }

    @Override
    public Set<String> secretPropertyNames() {
        return Set.of();
    }

    @Override
    public Map<String, String> multiValuePrefixes() {
        return Map.of();
    }

    @Override
    public boolean isLenientProperties() {
        return false;
    }
}
