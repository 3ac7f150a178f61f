package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.apache.camel.component.seda.QueueReference;
import org.apache.camel.component.seda.SedaComponent;
import org.apache.camel.component.seda.SedaEndpoint;
import org.snakeyaml.engine.v2.nodes.Node;

/** Checks that the endpoints of one {@code seda:} queue agree on the queue. For one file. */
final class SedaRules {
    private final VersionedEndpoints local;
    private final CamelContext live;
    /** The size of each queue; null if the endpoints so far take any size. */
    private final Map<String, Integer> sizes = new HashMap<>();

    SedaRules(String flow, Node root, CamelContext live) {
        this.local = VersionedEndpoints.of(flow, root);
        this.live = live;
    }

    /** Returns why the endpoint cannot use its queue; empty if it can. */
    Optional<String> fault(SedaEndpoint endpoint) {
        String name = VersionedEndpoints.keyOf(endpoint.getEndpointUri());
        // Camel reads an endpoint without the option as one of any size.
        Integer size = endpoint.getSize() == Integer.MAX_VALUE ? null : Integer.valueOf(endpoint.getSize());
        Integer known = sizes.containsKey(name) || local.contains(name) ? sizes.get(name) : running(endpoint);
        if (known == null) {
            sizes.put(name, size);
            return Optional.empty();
        }
        return size == null || size.equals(known)
                ? Optional.empty()
                : Optional.of("the queue '" + name + "' has the size " + known + " already, not " + size
                        + ": give all its endpoints one size, or take another name");
    }

    private Integer running(SedaEndpoint endpoint) {
        if (live.hasComponent("seda") instanceof SedaComponent component) {
            QueueReference queue = component.getQueueReference(component.getQueueKey(endpoint.getEndpointUri()));
            return queue == null ? null : queue.getSize();
        }
        return null;
    }
}
