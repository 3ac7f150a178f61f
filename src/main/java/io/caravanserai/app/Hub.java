package io.caravanserai.app;

import io.caravanserai.api.FlowEndpoints;
import io.caravanserai.api.FlowTryEndpoint;
import io.caravanserai.api.HealthCheck;
import io.caravanserai.api.MetricsEndpoint;
import io.caravanserai.broker.EmbeddedArtemis;
import io.caravanserai.broker.HubAddresses;
import io.caravanserai.broker.JmsBroker;
import io.caravanserai.config.HubSettings;
import io.caravanserai.config.Settings;
import io.caravanserai.config.SettingsException;
import io.caravanserai.config.SettingsReader;
import io.caravanserai.event.OrderEvent;
import io.caravanserai.flow.BlockingCalls;
import io.caravanserai.flow.Flows;
import io.caravanserai.flow.deploy.FlowHttpComponent;
import io.caravanserai.http.ApiKeys;
import io.caravanserai.http.BoundedHttpServer;
import io.caravanserai.http.Endpoint;
import io.caravanserai.http.HttpApi;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.intake.JmsOrders;
import io.caravanserai.intake.JmsReplies;
import io.caravanserai.intake.KafkaOrders;
import io.caravanserai.intake.OrderSources;
import io.caravanserai.jms.JmsSender;
import io.caravanserai.ledger.Invariant;
import io.caravanserai.outbox.EventRetention;
import io.caravanserai.process.ReplayHistory;
import io.caravanserai.service.WorkListener;
import io.caravanserai.store.FolderLock;
import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.support.Ids;
import io.caravanserai.telemetry.BusMeters;
import io.caravanserai.telemetry.CommitMeters;
import io.caravanserai.telemetry.HubMeters;
import io.caravanserai.telemetry.MeteredStore;
import io.caravanserai.telemetry.SagaMeters;
import io.caravanserai.telemetry.WorkMeters;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.camel.CamelContext;
import org.apache.camel.main.Main;
import org.apache.camel.main.SimpleMainShutdownStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running hub. */
public final class Hub implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);

    /** Maximum number of orders in flows. Above the limit the queues keep the backlog, instead of memory. */
    private static final int MAX_IN_FLIGHT = 1_000;

    private final HubSettings settings;
    private final Main camel = new Main();
    /** Started parts, to be closed in reverse order. */
    private final Deque<StopSequence.Part> started = new ArrayDeque<>();

    private MessagingModule messaging;
    private OrderModule core;
    private Subscribers subscribers;
    private ApiModule doors;
    private Optional<JmsReplies> jmsReplies = Optional.empty();
    private Optional<OrderSources> sources = Optional.empty();
    private HubMeters meters;
    private HttpApi api;
    private BoundedHttpServer http;
    private volatile boolean isUp;
    private final List<HealthCheck> checks = List.of(
            new HealthCheck("start", () -> isUp ? Optional.empty() : Optional.of("the hub is starting")),
            new HealthCheck("messages", () -> messaging.unavailableReason()),
            new HealthCheck("name", () -> messaging.sharedName()),
            new HealthCheck("orders-jms", () -> sources.flatMap(all -> all.unavailableReason("jms"))),
            new HealthCheck("orders-kafka", () -> sources.flatMap(all -> all.unavailableReason("kafka"))));

    private Hub(HubSettings settings) {
        this.settings = settings;
    }

    /**
     * Starts a hub. The hub answers requests when the method returns.
     * @throws RuntimeException when the start fails; the message names the setting to change
     */
    public static Hub start(HubSettings settings) throws Exception {
        Hub hub = new Hub(settings);
        try {
            hub.start();
            return hub;
        } catch (Exception e) {
            hub.close();
            throw e;
        }
    }

    private void start() throws Exception {
        // Before any access to the folder: a second broker would wait forever for the lock of the journal.
        FolderLock folder = opened(FolderLock.take(settings.dataDir()));
        opened(new DataFolder(settings.dataDir(), settings.routesDir()).watch());
        Preflight.check(settings);
        http = opened(openHttp(settings.http()));
        Clock clock = Clock.systemUTC();
        meters = opened(new HubMeters());
        // With more than one core the broker starts in parallel to the following parts.
        CompletableFuture<JmsBroker> broker = startBroker();
        // The empty database prepared by bin/warm-up.
        Optional<Path> empty = Optional.ofNullable(System.getProperty(SettingsReader.HOME))
                .map(home -> Path.of(home, "lib", SqliteStore.FILE));
        Store store = opened(new MeteredStore(
                SqliteStore.open(folder, empty, List.of(new CommitMeters(meters.registry()))), meters.registry()));
        CamelContext context = camelContext();
        meters.watch(context);
        messaging = opened(new MessagingModule(
                settings, started(broker), store, new Ids(), clock, context, new BusMeters(meters.registry(), clock)));
        core = new OrderModule(
                settings,
                store,
                context,
                clock,
                this::happened,
                decides -> new SagaMeters(decides, meters.registry()),
                workMeters());
        messaging.deadLetters.onReplay(new ReplayHistory(core.orders, core.stepLog));
        context.getCamelContextExtension().addInterceptStrategy(opened(blockingCalls(store)));
        for (Invariant law : Invariant.values()) {
            meters.invariant(law.wire(), () -> core.ledger.holds(law));
        }
        context.addRoutes(core.routes());
        subscribers = opened(new Subscribers(settings, store, messaging.log, messaging.deadLetters, clock));
        context.addRoutes(subscribers.routes());
        new DemoStock(core.shelf).sow(store);
        atStop("Camel", camel::stop);
        // Camel would stop the routes that consume events one after the other.
        atStop("EventBus", messaging.bus::unsubscribeAll);
        camel.start();
        doors = new ApiModule(settings, core, meters::started);
        opened(core);
        api = new HttpApi(new ApiKeys(settings.security().keys()), endpoints());
        api.mount(http.router());
        core.start();
        subscribers.listenTo(messaging.bus);
        messaging.start();
        openSources(store, clock);
        // After all sources that replay dead letters are open, and closed before the sources.
        opened(messaging.replays).resume();
        opened(housekeeping(store, clock)).start();
        opened(new GracefulShutdown(core, http, api));
        isUp = true;
        http.serve();
        // Prepared in the background, so that neither the first edit nor the first order waits.
        background("flow-schema", Flows::prepare);
    }

    private CompletableFuture<JmsBroker> startBroker() {
        CompletableFuture<JmsBroker> starting = new CompletableFuture<>();
        background("broker-start", () -> {
            try {
                starting.complete(JmsBroker.start(
                        settings.jms(),
                        settings.dataDir().resolve("broker"),
                        settings.security().keys(),
                        new HubAddresses(settings.name())));
            } catch (RuntimeException e) {
                starting.completeExceptionally(e);
            }
        });
        // When another part fails to start, the broker is stopped as well.
        atStop("JmsBroker", () -> {
            Optional<JmsBroker> running =
                    starting.handle((it, failure) -> Optional.ofNullable(it)).join();
            running.ifPresent(JmsBroker::close);
        });
        return starting;
    }

    private static JmsBroker started(CompletableFuture<JmsBroker> broker) {
        try {
            return broker.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private BlockingCalls blockingCalls(Store store) {
        return new BlockingCalls(
                Map.of("jms", messaging.broker::unavailableReason, "kafka", messaging::kafkaTrouble),
                sagaId -> store.read(tx -> core.sagas
                        .log()
                        .find(tx, sagaId)
                        .map(saga -> saga.state().status())));
    }

    private static void background(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private RetentionJobs housekeeping(Store store, Clock clock) {
        Duration retention = settings.events().retention();
        EventRetention events = new EventRetention(
                retention,
                clock,
                List.of(
                        (tx, orderId, forgotten, before) -> core.stepLog.forget(tx, orderId),
                        subscribers.notifications::forget,
                        (tx, orderId, forgotten, before) -> subscribers.analytics.forget(tx, forgotten)));
        return new RetentionJobs(store)
                .with("forget-keys", doors.keys::purgeBatch)
                .with("forget-events", events::purgeBatch)
                .with(
                        "forget-once",
                        tx -> core.once.purgeBatch(tx, clock.instant().minus(retention)))
                .with(
                        "forget-dead-letters",
                        tx -> messaging.deadLetters.purgeBatch(
                                tx, clock.instant().minus(retention)))
                .with(
                        "forget-replays",
                        tx -> messaging.replays.purgeBatch(tx, clock.instant().minus(retention)))
                .with(
                        "forget-replies",
                        tx -> jmsReplies.isPresent()
                                && jmsReplies
                                        .get()
                                        .purgeBatch(tx, clock.instant().minus(retention)))
                .also(() ->
                        messaging.broker.embedded().ifPresent(broker -> broker.deleteIdle(Flows::isQueueOfVersion)));
    }

    private WorkListener workMeters() {
        WorkMeters work = new WorkMeters(meters.registry());
        return new WorkListener() {
            @Override
            public void stepEnded(String step, String outcome, Duration took) {
                work.step(step, outcome, took);
            }

            @Override
            public void compensationEnded(String compensation, String outcome, Duration took) {
                work.compensation(compensation, outcome, took);
            }

            @Override
            public void retried(String step) {
                work.retried(step);
            }
        };
    }

    private void happened(OrderEvent event) {
        meters.happened(event);
        messaging.newEvents();
    }

    private void openSources(Store store, Clock clock) {
        JmsReplies replies = opened(new JmsReplies(
                store,
                doors.entry,
                core.orders,
                core.history,
                new JmsSender("replies", messaging.broker, Optional.of(JmsReplies.PATIENCE)).start(),
                new HubAddresses(settings.name()),
                clock));
        jmsReplies = Optional.of(replies);
        replies.resume();
        JmsOrders.Parts jms = new JmsOrders.Parts(
                messaging.broker,
                doors.routes,
                doors.messages("jms"),
                messaging.jmsDeadLetters,
                replies,
                () -> core.entry.inFlight() < MAX_IN_FLIGHT);
        Optional<KafkaOrders.Parts> kafka = messaging.kafka.map(side -> new KafkaOrders.Parts(
                side.link,
                doors.routes,
                doors.messages("kafka"),
                doors.entry,
                side.deadLetters,
                messaging.deadLetters));
        sources = Optional.of(opened(OrderSources.of(doors.routes, jms, kafka, messaging.deadLetters))
                .start());
    }

    private List<HttpEndpoints> endpoints() {
        List<HttpEndpoints> endpoints = new ArrayList<>(doors.endpoints(checks));
        endpoints.add(new MetricsEndpoint(core.store, core.sagas, meters));
        endpoints.addAll(messaging.endpoints());
        endpoints.add(opened(new FlowEndpoints(core.flows)));
        endpoints.addAll(subscribers.endpoints());
        endpoints.add(opened(new FlowTryEndpoint(core.flows, core.store, core.orders, core.history)));
        return endpoints;
    }

    private CamelContext camelContext() {
        camel.setDefaultPropertyPlaceholderLocation("classpath:application.properties;optional=true");
        // The hub has a shutdown hook of its own, which stops the parts in order.
        camel.setShutdownStrategy(new SimpleMainShutdownStrategy());
        camel.configure().setName("caravanserai");
        // Unfinished exchanges continue after the next start.
        camel.addOverrideProperty("camel.main.shutdownTimeout", "3");
        camel.addOverrideProperty("camel.main.shutdownSuppressLoggingOnTimeout", "true");
        camel.addOverrideProperty("camel.main.routesIncludePattern", "false");
        camel.init();
        http.bindTo(camel.getCamelContext());
        camel.getCamelContext().addComponent("platform-http", new FlowHttpComponent());
        return camel.getCamelContext();
    }

    private static BoundedHttpServer openHttp(HubSettings.Http settings) {
        try {
            return BoundedHttpServer.open(
                    settings.host(), settings.port(), settings.requestTimeout(), settings.idleTimeout());
        } catch (IllegalStateException e) {
            throw new SettingsException(
                    List.of(Settings.HTTP_PORT.key() + "=" + settings.port() + " on " + settings.host() + " ("
                            + Settings.HTTP_HOST.key() + ") cannot be listened on: " + e.getMessage()));
        }
    }

    /** Returns why the hub cannot do all work at present; empty when the hub is ready. */
    public Optional<String> unavailableReason() {
        return checks.stream()
                .flatMap(check -> check.unavailableReason().get().stream())
                .findFirst()
                .or(core.store::unavailableReason);
    }

    /** Returns the HTTP port, also when the configured port is 0. */
    public int port() {
        return http.getPort();
    }

    /** Returns the port of the embedded JMS broker; empty with an outside broker. */
    public Optional<Integer> jmsPort() {
        return messaging.broker.embedded().map(EmbeddedArtemis::port);
    }

    /** Returns the Kafka bootstrap servers; empty when Kafka is off. */
    Optional<String> kafkaBrokers() {
        return messaging.kafka.map(side -> side.link.brokers());
    }

    /** Returns all HTTP endpoints except the endpoints of flows. */
    List<Endpoint> endpointsServed() {
        return api.table();
    }

    private <T extends AutoCloseable> T opened(T part) {
        atStop(part.getClass().getSimpleName(), part);
        return part;
    }

    private void atStop(String name, AutoCloseable part) {
        started.push(new StopSequence.Part(name, part));
    }

    /** Accepts no new work, completes work in flight or leaves the work for the next start, and closes all parts. */
    @Override
    public void close() {
        new StopSequence().close(started);
    }
}
