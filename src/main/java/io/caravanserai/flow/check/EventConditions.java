package io.caravanserai.flow.check;

import io.caravanserai.event.EventType;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.order.OrderStatus;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Predicate;
import org.apache.camel.support.DefaultExchange;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Evaluates conditions of flows that depend on nothing but the consumed event. */
final class EventConditions {
    private static final Pattern KNOWN =
            Pattern.compile("\\$\\{headers?(?:\\.|:|\\['?)(eventType|orderStatus)(?:'?])?}");

    private final CamelContext context;

    /**
     * An event that a route consumes.
     * @param status order status in the event; null if the event has none or the status is not known
     */
    record Heard(EventType type, OrderStatus status) {
        private boolean hasUnknownStatus() {
            return status == null && (type == EventType.OrderTimedOut || type == EventType.OrderCancelRequested);
        }
    }

    EventConditions(CamelContext context) {
        this.context = context;
    }

    /**
     * Whether the condition of a step holds.
     * @param heard the consumed event; null if not known
     * @return empty if the condition depends on anything else
     */
    Optional<Boolean> holds(Node conditional, Heard heard) {
        Node expression = Nodes.value(conditional, "expression").orElse(conditional);
        Optional<Boolean> constant = text(expression, "constant")
                .filter(text -> text.matches("true|false"))
                .map(Boolean::valueOf);
        return constant.or(() -> text(expression, "simple").flatMap(simple -> simple(simple, heard)));
    }

    private static Optional<String> text(Node expression, String language) {
        return Nodes.value(expression, language)
                .flatMap(value -> value instanceof ScalarNode text
                        ? Optional.of(text.getValue())
                        : Nodes.text(value, "expression"))
                .map(String::strip);
    }

    private Optional<Boolean> simple(String text, Heard heard) {
        Matcher asked = KNOWN.matcher(text);
        boolean known = true;
        while (asked.find()) {
            known &= heard != null && (asked.group(1).equals("eventType") || !heard.hasUnknownStatus());
        }
        String rest = asked.replaceAll("");
        if (!known || rest.contains("${") || rest.contains("$simple{") || rest.contains("{{")) {
            return Optional.empty();
        }
        try {
            Exchange exchange = new DefaultExchange(context);
            if (heard != null) {
                exchange.getMessage().setHeader("eventType", heard.type().name());
            }
            if (heard != null && heard.status() != null) {
                exchange.getMessage().setHeader("orderStatus", heard.status().name());
            }
            Predicate predicate = context.resolveLanguage("simple").createPredicate(text);
            predicate.init(context);
            return Optional.of(predicate.matches(exchange));
        } catch (RuntimeException e) {
            // Another check reports the fault of the expression.
            return Optional.empty();
        }
    }
}
