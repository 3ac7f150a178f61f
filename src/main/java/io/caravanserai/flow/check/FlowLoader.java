package io.caravanserai.flow.check;

import io.caravanserai.flow.yaml.EndpointUse;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.KameletInliner;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.ErrorHandlerFactory;
import org.apache.camel.ExtendedCamelContext;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.dsl.yaml.YamlRoutesBuilderLoader;
import org.apache.camel.dsl.yaml.common.YamlDeserializationContext;
import org.apache.camel.model.Model;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.ResourceHelper;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Camel's YAML loader, with the version number added to local names. For one version; used once. */
public final class FlowLoader extends YamlRoutesBuilderLoader {
    private final FlowVersion version;
    private VersionedEndpoints names;
    private Set<String> calls;
    private List<HttpIngress.Door> httpDoors;
    private boolean hasSaga;
    private Node tree;

    private FlowLoader(FlowVersion version) {
        super();
        this.version = version;
    }

    /**
     * The content of a flow version, ready to be added to the context.
     * @param builder the routes, with ids without a version
     * @param calls the {@code direct:} endpoints outside the file that the flow calls
     * @param httpDoors the HTTP paths of the flow
     * @param hasSaga whether a route has a saga
     * @param tree the tree of the text, with Kamelets inlined and names without a version
     */
    public record Loaded(
            RouteBuilder builder,
            VersionedEndpoints names,
            Set<String> calls,
            List<HttpIngress.Door> httpDoors,
            boolean hasSaga,
            Node tree) {

        /**
         * Adds the routes to the context, each with the error handler and the route configurations of the file.
         * <p>Camel keeps error handlers and route configurations in the whole context and reads both when a route is
         * added. A remaining one would apply to routes of other files and to the next version, so all are removed.
         */
        public void addTo(CamelContext context) throws Exception {
            ExtendedCamelContext extended = context.getCamelContextExtension();
            ErrorHandlerFactory before = extended.getErrorHandlerFactory();
            try {
                context.addRoutes(builder);
            } finally {
                extended.setErrorHandlerFactory(before);
                if (builder instanceof RouteConfigurationBuilder both) {
                    // Not removeRouteConfiguration: this method generates ids for configurations without an id, and
                    // then does not find the configurations.
                    context.getCamelContextExtension()
                            .getContextPlugin(Model.class)
                            .getRouteConfigurationDefinitions()
                            .removeAll(both.getRouteConfigurationCollection().getRouteConfigurations());
                }
            }
        }
    }

    /** Reads a version. Binds the declared beans in the registry of the context. */
    public static Loaded load(CamelContext context, FlowVersion version) throws Exception {
        try (FlowLoader loader = new FlowLoader(version)) {
            loader.setCamelContext(context);
            loader.start();
            Resource resource = ResourceHelper.fromString(version.file(), version.text());
            loader.preParseRoute(resource);
            RouteBuilder builder = (RouteBuilder) loader.loadRoutesBuilder(resource);
            builder.setCamelContext(context);
            return new Loaded(builder, loader.names, loader.calls, loader.httpDoors, loader.hasSaga, loader.tree);
        }
    }

    /** Camel would use the encoding of the platform, which is not always UTF-8. */
    @Override
    protected InputStream resourceInputStream(Resource resource) {
        return new ByteArrayInputStream(version.text().getBytes(StandardCharsets.UTF_8));
    }

    @Override
    protected RouteBuilder builder(YamlDeserializationContext context, Node written) {
        Nodes.dashesToCamelCase(written);
        List<Fault> faults = new ArrayList<>();
        Kamelets kamelets = Kamelets.of(getCamelContext(), version.kamelets());
        Node root = KameletInliner.writtenInto(version.file(), written, kamelets, faults);
        if (!faults.isEmpty()) {
            throw new IllegalArgumentException(faults.get(0).toString());
        }
        names = VersionedEndpoints.of(version.flow(), root);
        httpDoors = HttpIngress.in(root);
        tree = root;
        hasSaga = !Nodes.valuesOf(root, "saga").isEmpty();
        calls = EndpointUse.in(root).stream()
                .filter(use -> !use.role().equals("from") && !use.isDynamic())
                .map(use -> VersionedEndpoints.keyOf(use.full()))
                .filter(name -> name.startsWith("direct:") && !names.contains(name))
                .collect(Collectors.toUnmodifiableSet());
        return super.builder(context, routesLast(names.versioned(root, version.version())));
    }

    /**
     * Camel requires the elements for all routes of a file before the routes; Kaoto writes the elements after the
     * routes.
     */
    private static Node routesLast(Node root) {
        if (!(root instanceof SequenceNode items)) {
            return root;
        }
        List<Node> sorted = new ArrayList<>(items.getValue());
        sorted.sort(Comparator.comparing(FlowLoader::isRoute));
        return new SequenceNode(
                items.getTag(), true, sorted, items.getFlowStyle(), items.getStartMark(), items.getEndMark());
    }

    static boolean isRoute(Node item) {
        return Nodes.value(item, "route").or(() -> Nodes.value(item, "from")).isPresent();
    }
}
