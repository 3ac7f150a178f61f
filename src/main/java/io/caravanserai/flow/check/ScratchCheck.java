package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Nodes;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.Component;
import org.apache.camel.StartupSummaryLevel;
import org.apache.camel.component.jms.JmsComponent;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteDefinitionHelper;
import org.apache.camel.model.RouteTemplateDefinition;
import org.apache.camel.saga.InMemorySagaService;
import org.apache.camel.spi.PropertiesSource;
import org.apache.camel.support.DefaultRegistry;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Lets Camel build the routes of a flow in a scratch context, without a start, a connection or a file. Finds faults
 * that only Camel can find: values of options, beans, languages and expressions.
 */
public final class ScratchCheck {
    private final String file;
    private final Node root;
    private final CheckContext around;
    private final List<Fault> faults = new ArrayList<>();

    private ScratchCheck(String file, Node root, CheckContext around) {
        this.file = file;
        this.root = root;
        this.around = around;
    }

    static List<Fault> check(String file, String text, Node root, CheckContext around) {
        ScratchCheck check = new ScratchCheck(file, root, around);
        try (DefaultCamelContext scratch = check.scratch()) {
            check.faults.addAll(ExpressionsCheck.check(file, root, scratch));
            if (check.faults.isEmpty()) {
                check.build(scratch, text);
            }
        } catch (Exception e) {
            check.faults.add(ErrorLocator.of(file, root, e, around.context()));
        }
        return check.faults;
    }

    private DefaultCamelContext scratch() {
        CamelContext live = around.context();
        DefaultCamelContext scratch = new DefaultCamelContext(false);
        scratch.getCamelContextExtension().setName(live.getName() + "-scratch");
        scratch.getCamelContextExtension()
                .setRegistry(new DefaultRegistry(new LiveBeans(live.getRegistry(), new InMemorySagaService())));
        scratch.setStartupSummaryLevel(StartupSummaryLevel.Off);
        scratch.disableJMX();
        scratch.setLoadTypeConverters(false);
        scratch.build();
        scratch.getPropertiesComponent().addPropertiesSource(new LiveProperties(live));
        PlaceholderGuard.install(scratch);
        ExpressionGuard.install(scratch);
        for (String name : live.getComponentNames()) {
            borrow(scratch, name, live.getComponent(name, false, false));
        }
        live.getRegistry()
                .findByTypeWithName(Component.class)
                .forEach((name, component) -> borrow(scratch, name, component));
        scratch.init();
        return scratch;
    }

    /** Adds a component of the same class under the same name, with the configuration that its endpoints begin with. */
    private static void borrow(DefaultCamelContext scratch, String name, Component component) {
        if (component == null || scratch.hasComponent(name) != null) {
            return;
        }
        try {
            Component copy = component.getClass().getDeclaredConstructor().newInstance();
            if (component instanceof JmsComponent jms) {
                ((JmsComponent) copy).setConfiguration(jms.getConfiguration());
            } else if (component instanceof KafkaComponent kafka) {
                ((KafkaComponent) copy).setConfiguration(kafka.getConfiguration());
            }
            scratch.addComponent(name, copy);
        } catch (ReflectiveOperationException e) {
            // Without a default constructor the scratch context uses the component on the class path, or none.
        }
    }

    public record LiveProperties(CamelContext live) implements PropertiesSource {
        @Override
        public String getName() {
            return "hub";
        }

        @Override
        public String getProperty(String name) {
            return live.getPropertiesComponent().resolveProperty(name).orElse(null);
        }
    }

    private void build(DefaultCamelContext scratch, String text) throws Exception {
        Model model = scratch.getCamelContextExtension().getContextPlugin(Model.class);
        Model live = around.context().getCamelContextExtension().getContextPlugin(Model.class);
        List<RouteTemplateDefinition> templates = live.getRouteTemplateDefinitions();
        if (templates != null) {
            model.addRouteTemplateDefinitions(templates);
        }
        FlowVersion version =
                FlowVersion.candidate(file, text, around.kamelets().neededBy(file, text));
        FlowLoader.load(scratch, version).addTo(scratch);
        for (RouteDefinition route : List.copyOf(model.getRouteDefinitions())) {
            try {
                RouteDefinitionHelper.prepareRoute(scratch, route);
                route.markPrepared();
                RouteDefinitionHelper.forceAssignIds(scratch, route.getInput());
                RouteDefinitionHelper.forceAssignIds(scratch, route);
                model.getModelReifierFactory().createRoute(scratch, route);
            } catch (Exception e) {
                faults.add(ErrorLocator.of(file, partOf(route), e, around.context()));
            }
        }
        if (faults.isEmpty()) {
            faults.addAll(EndpointRules.check(file, root, scratch, around.context()));
        }
    }

    /** Returns the route together with the elements for all routes of the file, at the position of the route. */
    private Node partOf(RouteDefinition definition) {
        Node route = nodeOf(definition);
        List<Node> nodes = new ArrayList<>(List.of(route));
        if (root instanceof SequenceNode items) {
            items.getValue().stream().filter(item -> !FlowLoader.isRoute(item)).forEach(nodes::add);
        }
        return new SequenceNode(Tag.SEQ, true, nodes, FlowStyle.BLOCK, route.getStartMark(), route.getEndMark());
    }

    private Node nodeOf(RouteDefinition route) {
        return Nodes.valuesOf(root, "route").stream()
                .filter(node -> Nodes.text(node, "id")
                        .filter(id -> id.equals(route.getRouteId()))
                        .isPresent())
                .findFirst()
                .orElse(root);
    }
}
