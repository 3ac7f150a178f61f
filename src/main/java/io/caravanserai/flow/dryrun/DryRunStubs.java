package io.caravanserai.flow.dryrun;

import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.Component;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.component.bean.BeanComponent;
import org.apache.camel.component.beanclass.ClassComponent;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.DefaultProducer;

/**
 * The stubs of a dry run: replace all outside endpoints, pass messages between the local queues of the flow, and record
 * the steps.
 */
final class DryRunStubs {
    private final Map<String, List<Listener>> listeners = new ConcurrentHashMap<>();
    private final List<String> steps = Collections.synchronizedList(new ArrayList<>());
    private final Deque<Event> events = new ArrayDeque<>();

    private record Listener(OutsideEndpoint endpoint, Processor processor) {}

    private record Event(String type, Object orderId, Object sagaId) {}

    void clear() {
        steps.clear();
        events.clear();
    }

    void note(String step) {
        steps.add(step);
    }

    List<String> steps() {
        return List.copyOf(steps);
    }

    /** Adds an event of the exchange; delivered after the exchange has ended. */
    void tell(String type, Exchange cause) {
        Message message = cause.getMessage();
        events.add(new Event(type, message.getHeader("orderId"), message.getHeader(Exchange.SAGA_LONG_RUNNING_ACTION)));
    }

    /** Delivers all events, including the events that follow. */
    void letEventsBeHeard() throws Exception {
        Event event = events.poll();
        while (event != null) {
            for (Listener listener : listeners.getOrDefault("events:order-events", List.of())) {
                if (listener.endpoint().hears(event.type())) {
                    Exchange exchange = new DefaultExchange(listener.endpoint().getCamelContext());
                    exchange.getMessage().setHeader("orderId", event.orderId());
                    exchange.getMessage().setHeader("eventType", event.type());
                    if (event.sagaId() != null) {
                        exchange.getMessage().setHeader(Exchange.SAGA_LONG_RUNNING_ACTION, event.sagaId());
                    }
                    listener.processor().process(exchange);
                }
            }
            event = events.poll();
        }
    }

    /** A component that replaces another component. */
    final class Outside extends DefaultComponent {
        @Override
        protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) {
            Object types = parameters.get("types");
            parameters.clear();
            String scheme = uri.substring(0, uri.indexOf(':'));
            String key = VersionedEndpoints.keyOf(scheme + ":" + remaining);
            return new OutsideEndpoint(uri, this, key, types == null ? "" : types.toString());
        }
    }

    /**
     * Replaces the bean component; a subclass, because Camel looks up the component by class when an expression calls a
     * bean.
     */
    final class OutsideBeans extends BeanComponent {
        @Override
        protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) {
            parameters.clear();
            return new OutsideEndpoint(uri, this, "bean:" + remaining, "");
        }
    }

    /** Replaces the class component in the same way. */
    final class OutsideClasses extends ClassComponent {
        @Override
        protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) {
            parameters.clear();
            return new OutsideEndpoint(uri, this, "class:" + remaining, "");
        }
    }

    private final class OutsideEndpoint extends DefaultEndpoint {
        private final String key;
        private final String types;

        OutsideEndpoint(String uri, Component component, String key, String types) {
            super(uri, component);
            this.key = key;
            this.types = types;
        }

        boolean hears(String type) {
            return types.isEmpty() || List.of(types.split(" *, *")).contains(type);
        }

        @Override
        public boolean isLenientProperties() {
            return true;
        }

        @Override
        public Consumer createConsumer(Processor processor) {
            listeners.computeIfAbsent(key, none -> new CopyOnWriteArrayList<>()).add(new Listener(this, processor));
            return new DefaultConsumer(this, processor);
        }

        @Override
        public Producer createProducer() {
            return new DefaultProducer(this) {
                @Override
                public void process(Exchange exchange) throws Exception {
                    List<Listener> inside = listeners.get(key);
                    if (inside == null) {
                        note("to " + key);
                    } else {
                        inside.get(0).processor().process(exchange);
                    }
                }
            };
        }
    }
}
