package io.caravanserai.flow.dryrun;

import io.caravanserai.flow.check.CheckContext;
import io.caravanserai.flow.check.EndpointCheck;
import io.caravanserai.flow.check.ErrorLocator;
import io.caravanserai.flow.check.ExpressionGuard;
import io.caravanserai.flow.check.FlowLoader;
import io.caravanserai.flow.check.LiveBeans;
import io.caravanserai.flow.check.PlaceholderGuard;
import io.caravanserai.flow.check.ScratchCheck;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowRefusedException;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Nodes;
import io.caravanserai.flow.yaml.VersionedEndpoints;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.StartupSummaryLevel;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteBuilderLifecycleStrategy;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.BeanDefinition;
import org.apache.camel.model.DelayDefinition;
import org.apache.camel.model.IdempotentConsumerDefinition;
import org.apache.camel.model.MulticastDefinition;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.ProcessDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SplitDefinition;
import org.apache.camel.model.ThreadsDefinition;
import org.apache.camel.model.ThrottleDefinition;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.DefaultRegistry;
import org.apache.camel.support.processor.idempotent.MemoryIdempotentRepository;
import org.snakeyaml.engine.v2.nodes.Node;

/** A separate Camel context for the dry run of one text, with stubs for all outside endpoints. Runs one order at a time. */
public final class DryRunContext implements AutoCloseable {
    private static final long SECONDS_FOR_AN_ORDER = 10;
    /** The endpoint that always refuses, with the reason of the same name. */
    private static final String DECLINED = "payment-declined";
    /** Components that stay real, because no message leaves the context. */
    private static final Set<String> REAL = Set.of("direct", "saga", "log");

    private final DryRunStubs stubs = new DryRunStubs();
    private final DefaultCamelContext context = new DefaultCamelContext(false);
    private final ExecutorService executor = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "flow-dry-run");
        thread.setDaemon(true);
        return thread;
    });
    private final DryRun services;
    private final String entry;
    private volatile DryRun.Sample current;
    private volatile DryRunOrder order = new DryRunOrder();

    /**
     * The traces of orders of the past through a text.
     *
     * @throws FlowRefusedException when no orders enter the text, or its routes cannot start
     */
    public static List<Trace> traces(
            FlowVersion flow, CheckContext around, List<DryRun.Sample> samples, DryRun services)
            throws FlowRefusedException, InterruptedException {
        String entry = "direct:" + flow.flow();
        Node root = Nodes.parse(flow.file(), flow.text()).orElseThrow();
        if (!samples.isEmpty() && !VersionedEndpoints.of(flow.flow(), root).contains(entry)) {
            throw new FlowRefusedException(
                    List.of(Fault.atStart(flow.file(), "no orders enter it: no route begins with '" + entry + "'")));
        }
        try (DryRunContext context = new DryRunContext(flow, around, services)) {
            List<Trace> traces = new ArrayList<>();
            for (DryRun.Sample sample : samples) {
                traces.add(context.trace(sample));
            }
            return traces;
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw new FlowRefusedException(List.of(ErrorLocator.of(flow.file(), root, e, around.context())));
        }
    }

    private DryRunContext(FlowVersion flow, CheckContext around, DryRun services) throws Exception {
        this.services = services;
        this.entry = VersionedEndpoints.versioned(flow.flow(), "direct:" + flow.flow(), 0);
        FlowVersion unnumbered = FlowVersion.candidate(flow.file(), flow.text(), flow.kamelets());
        try {
            prepare(around);
            context.addRoutes(standIns(around));
            FlowLoader.Loaded loaded = FlowLoader.load(context, unnumbered);
            loaded.builder().addLifecycleInterceptor(new RouteBuilderLifecycleStrategy() {
                @Override
                public void afterConfigure(RouteBuilder builder) {
                    builder.getRouteCollection().getRoutes().forEach(DryRunContext::stubSideEffects);
                }
            });
            loaded.addTo(context);
            context.start();
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    private void prepare(CheckContext around) {
        DryRunSagas sagas = new DryRunSagas();
        sagas.setCamelContext(context);
        context.getCamelContextExtension().setName("dry-run");
        context.getCamelContextExtension()
                .setRegistry(new DefaultRegistry(new LiveBeans(around.context().getRegistry(), sagas)));
        context.setStartupSummaryLevel(StartupSummaryLevel.Off);
        context.disableJMX();
        context.setAutowiredEnabled(false);
        context.build();
        context.getPropertiesComponent().addPropertiesSource(new ScratchCheck.LiveProperties(around.context()));
        PlaceholderGuard.install(context);
        ExpressionGuard.install(context);
        for (String component : EndpointCheck.components(around.context())) {
            if (component.equals("bean")) {
                context.addComponent(component, stubs.new OutsideBeans());
            } else if (component.equals("class")) {
                context.addComponent(component, stubs.new OutsideClasses());
            } else if (!REAL.contains(component)) {
                context.addComponent(component, stubs.new Outside());
            }
        }
    }

    private RouteBuilder standIns(CheckContext around) {
        Set<String> names = new HashSet<>(around.served());
        names.addAll(around.others().keySet());
        names.removeIf(name -> !name.startsWith("direct:"));
        return new RouteBuilder() {
            @Override
            public void configure() {
                for (String name : names) {
                    from(name).errorHandler(noErrorHandler()).process(exchange -> serve(name.substring(7), exchange));
                }
            }
        };
    }

    private void serve(String endpoint, Exchange exchange) {
        Optional<String> dropped = order.dropped(endpoint);
        if (dropped.isPresent()) {
            stubs.note(endpoint + " dropped: " + dropped.get());
            exchange.setException(services.closed(current.orderId(), endpoint));
            return;
        }
        String reason =
                endpoint.equals(DECLINED) ? DECLINED : current.refusals().get(endpoint);
        order.served(endpoint, reason != null);
        stubs.note(reason == null ? endpoint : endpoint + ": " + reason);
        services.event(endpoint, reason != null).ifPresent(type -> stubs.tell(type, exchange));
        if (reason != null) {
            exchange.setException(services.refusal(reason));
        }
    }

    /** Disables the steps of a route with an effect of their own, and the steps that only delay. */
    private static void stubSideEffects(RouteDefinition route) {
        for (Class<? extends ProcessorDefinition<?>> type : List.of(
                BeanDefinition.class,
                ProcessDefinition.class,
                DelayDefinition.class,
                ThrottleDefinition.class,
                ThreadsDefinition.class)) {
            ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), type)
                    .forEach(step -> step.setDisabled("true"));
        }
        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), IdempotentConsumerDefinition.class)
                .forEach(step -> step.setIdempotentRepository(new MemoryIdempotentRepository()));
        // Runs branches in sequence, so that the traces of two texts are comparable.
        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), MulticastDefinition.class)
                .forEach(step -> step.setParallelProcessing("false"));
        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), SplitDefinition.class)
                .forEach(step -> step.setParallelProcessing("false"));
        for (OnExceptionDefinition each :
                ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), OnExceptionDefinition.class)) {
            if (each.getRedeliveryPolicyType() != null) {
                each.getRedeliveryPolicyType().setRedeliveryDelay("0");
                each.getRedeliveryPolicyType().setUseExponentialBackOff("false");
            }
        }
    }

    private Trace trace(DryRun.Sample sample) throws InterruptedException {
        current = sample;
        order = new DryRunOrder();
        stubs.clear();
        try {
            executor.submit(() -> send(sample)).get(SECONDS_FOR_AN_ORDER, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            stubs.note("failed: " + e.getCause());
        } catch (TimeoutException e) {
            stubs.note("no end within " + SECONDS_FOR_AN_ORDER + " s");
        }
        List<String> steps = new ArrayList<>(stubs.steps());
        String status =
                steps.contains("ship-order") ? "SHIPPED" : steps.contains("cancel-order") ? "CANCELLED" : "OPEN";
        return new Trace(status, steps);
    }

    private Void send(DryRun.Sample sample) throws Exception {
        Exchange exchange = new DefaultExchange(context, ExchangePattern.InOnly);
        exchange.getMessage().setHeader("orderId", sample.orderId());
        exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/json");
        exchange.getMessage().setBody(sample.body());
        context.getEndpoint(entry).createProducer().process(exchange);
        stubs.letEventsBeHeard();
        return null;
    }

    @Override
    public void close() {
        executor.shutdownNow();
        context.stop();
    }
}
