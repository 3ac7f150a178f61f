package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.DidYouMean;
import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Style;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.camel.CamelContext;
import org.apache.camel.Component;
import org.apache.camel.spi.EndpointUriFactory;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Checks that the components, the options and the called {@code direct:} endpoints of a flow exist. */
public final class EndpointCheck {
    /** The path where Camel looks up a component by name. */
    private static final String COMPONENTS_ON_CLASS_PATH = "META-INF/services/org/apache/camel/component/";

    private final String file;
    private final CheckContext around;
    private final VersionedEndpoints local;
    private final Set<String> componentsHere;
    private final List<Fault> faults = new ArrayList<>();

    private EndpointCheck(String file, Node root, CheckContext around) {
        this.file = file;
        this.around = around;
        this.local = VersionedEndpoints.of(FlowVersion.flowOf(file), root);
        this.componentsHere = componentsIn(around.context());
    }

    static List<Fault> check(String file, Node root, CheckContext around) {
        EndpointCheck check = new EndpointCheck(file, root, around);
        EndpointUse.in(root).forEach(check::check);
        check.templated(root);
        return check.faults;
    }

    private static Set<String> componentsIn(CamelContext context) {
        Set<String> names = new TreeSet<>(context.getComponentNames());
        names.addAll(context.getRegistry().findByTypeWithName(Component.class).keySet());
        return names;
    }

    /** Returns all components on the class path and in the context. Slow: searches every jar. */
    public static Set<String> components(CamelContext context) {
        Set<String> names = componentsIn(context);
        try {
            names.addAll(context.getCamelContextExtension()
                    .getContextPlugin(org.apache.camel.spi.ComponentNameResolver.class)
                    .resolveNames(context));
        } catch (RuntimeException e) {
            throw new IllegalStateException("the class path cannot be searched for components", e);
        }
        return names;
    }

    private void check(EndpointUse use) {
        if (use.uri().isBlank()) {
            faults.add(Fault.at(file, use.node(), "the endpoint is empty"));
            return;
        }
        String scheme = use.scheme();
        if (scheme.contains("${") || scheme.contains("{{")) {
            return;
        }
        if (!isComponent(scheme)) {
            String meant = DidYouMean.of(scheme, components(around.context()));
            faults.add(Fault.at(file, use.node(), "unknown component '" + scheme + "'" + meant));
            return;
        }
        name(use, scheme);
        options(use, scheme);
        if (scheme.equals("events")) {
            style(use);
        }
        if (scheme.equals("direct") && !use.isDynamic()) {
            direct(use, VersionedEndpoints.keyOf(use.full()));
        }
    }

    private boolean isComponent(String scheme) {
        return componentsHere.contains(scheme)
                || around.context().getClassResolver().loadResourceAsURL(COMPONENTS_ON_CLASS_PATH + scheme) != null;
    }

    private void options(EndpointUse use, String scheme) {
        EndpointUriFactory factory = around.context().getCamelContextExtension().getEndpointUriFactory(scheme);
        if (factory == null) {
            return;
        }
        for (String option : use.query().split("&")) {
            String[] pair = option.split("=", 2);
            String name = pair[0];
            if (!name.isEmpty() && !name.contains("{{") && !isOption(factory, name)) {
                faults.add(unknownOption(use.node(), scheme, name, factory.propertyNames()));
            } else if (pair.length == 2) {
                value(use.node(), scheme, name, pair[1]);
            }
        }
        use.parameters().ifPresent(parameters -> {
            for (NodeTuple tuple : parameters.getValue()) {
                String name = ((ScalarNode) tuple.getKeyNode()).getValue();
                if (!isOption(factory, name)) {
                    faults.add(unknownOption(tuple.getKeyNode(), scheme, name, factory.propertyNames()));
                } else if (tuple.getValueNode() instanceof ScalarNode value) {
                    value(value, scheme, name, value.getValue());
                }
            }
        });
    }

    private void value(Node place, String scheme, String option, String value) {
        OptionValues.fault(around.context(), scheme, option, value)
                .ifPresent(message -> faults.add(Fault.at(file, place, message)));
    }

    /**
     * Reports an endpoint without a required name, for example {@code timer}. Camel reports the fault only at the
     * start.
     */
    private void name(EndpointUse use, String scheme) {
        String path = use.full()
                .substring(Math.min(scheme.length(), use.full().length()))
                .split("[?]", 2)[0];
        OptionValues.neededName(around.context(), scheme)
                .filter(name -> path.replaceFirst("^:(//)?", "")
                        .matches(scheme.equals("jms") ? "((temp-)?(queue|topic):/*)?" : ""))
                .filter(name -> use.parameters()
                        .flatMap(given -> Nodes.value(given, name))
                        .isEmpty())
                .ifPresent(name -> faults.add(
                        Fault.at(file, use.node(), "'" + scheme + "' needs a name: " + scheme + ":" + name)));
    }

    private static boolean isOption(EndpointUriFactory factory, String name) {
        return factory.isLenientProperties()
                || factory.propertyNames().contains(name)
                || factory.multiValuePrefixes().values().stream().anyMatch(name::startsWith);
    }

    private Fault unknownOption(Node node, String scheme, String name, Collection<String> known) {
        return Fault.at(
                file, node, "component '" + scheme + "' has no option '" + name + "'" + DidYouMean.of(name, known));
    }

    /** Reports an unknown style. A custom style is a flow: this flow, or another running flow. */
    private void style(EndpointUse use) {
        Optional<Node> parameter = use.parameters().flatMap(parameters -> Nodes.value(parameters, "style"));
        Optional<String> style = parameter
                .filter(ScalarNode.class::isInstance)
                .map(node -> ((ScalarNode) node).getValue())
                .or(() -> Arrays.stream(use.query().split("&"))
                        .filter(option -> option.startsWith("style="))
                        .map(option -> option.substring("style=".length()))
                        .findFirst());
        style.filter(name -> !name.contains("{{"))
                .filter(name -> Style.ofWire(name).isEmpty())
                .map(name -> "direct:" + OrderStyle.FLOW_PREFIX + name)
                .filter(entry -> !local.contains(entry) && !around.others().containsKey(entry))
                .ifPresent(entry -> {
                    Set<String> names = new TreeSet<>();
                    Arrays.stream(Style.values()).map(Style::wire).forEach(names::add);
                    faults.add(Fault.at(
                            file,
                            parameter.orElse(use.node()),
                            "there is no style '" + style.get() + "'" + DidYouMean.of(style.get(), names)
                                    + ": it is none of " + Style.names() + ", and no flow begins with '" + entry
                                    + "'"));
                });
    }

    private void direct(EndpointUse use, String name) {
        if (use.role().equals("from")) {
            served(use, name);
            return;
        }
        if (!local.contains(name)
                && !around.served().contains(name)
                && !around.others().containsKey(name)) {
            Set<String> known = new TreeSet<>(local.names());
            known.addAll(around.served());
            known.addAll(around.others().keySet());
            faults.add(Fault.at(file, use.node(), "nothing answers at '" + name + "'" + DidYouMean.of(name, known)));
        }
    }

    private void served(EndpointUse use, String name) {
        if (around.served().contains(name)) {
            faults.add(Fault.at(file, use.node(), "'" + name + "' is served by the hub itself: take another name"));
        } else if (around.others().containsKey(name)) {
            faults.add(Fault.at(
                    file,
                    use.node(),
                    "'" + name + "' is served by " + around.others().get(name) + " already"));
        }
    }

    private void templated(Node root) {
        for (Node node : Nodes.keysOf(root, "templatedRoute")) {
            faults.add(
                    Fault.at(
                            file,
                            node,
                            "'templatedRoute' has no versions of its own: make a Kamelet of the template, and name it in a step"));
        }
    }
}
