package io.caravanserai.flow.check;

import java.util.Optional;
import org.apache.activemq.artemis.selector.filter.FilterException;
import org.apache.activemq.artemis.selector.impl.SelectorParser;
import org.apache.camel.component.jms.JmsEndpoint;
import org.springframework.jms.listener.AbstractMessageListenerContainer;
import org.springframework.jms.listener.DefaultMessageListenerContainer;

/** Checks JMS consumers by creating the listener container that the route would use. The container opens no connection. */
final class JmsRules {
    private JmsRules() {}

    /** @throws Exception from the container, for an option that the container refuses */
    static Optional<String> consumerFault(JmsEndpoint endpoint) throws Exception {
        String selector = endpoint.getSelector();
        if (selector != null && !selector.isBlank()) {
            try {
                SelectorParser.parse(selector);
            } catch (FilterException e) {
                return Optional.of("the selector '" + selector
                        + "' is not valid: it must be a condition in SQL, such as" + " colour = 'red' AND weight > 5");
            }
        }
        if (endpoint.getConfiguration().getConnectionFactory() == null) {
            // A check from the command line knows no broker.
            return Optional.empty();
        }
        AbstractMessageListenerContainer container =
                endpoint.createConsumer(exchange -> {}).getListenerContainer();
        // Containers of other classes connect here.
        if (container instanceof DefaultMessageListenerContainer) {
            container.afterPropertiesSet();
            container.destroy();
        }
        return Optional.empty();
    }
}
