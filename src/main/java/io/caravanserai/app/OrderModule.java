package io.caravanserai.app;

import io.caravanserai.bus.OpenOrders;
import io.caravanserai.config.HubSettings;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.OrderEvent;
import io.caravanserai.flow.FlowEntry;
import io.caravanserai.flow.Flows;
import io.caravanserai.flow.HubEdge;
import io.caravanserai.flow.check.AllowedUse;
import io.caravanserai.flow.deploy.OrdersCarried;
import io.caravanserai.flow.deploy.RetryListener;
import io.caravanserai.flow.yaml.RouteName;
import io.caravanserai.flow.yaml.StepNames;
import io.caravanserai.inbox.Inbox;
import io.caravanserai.inbox.StoreIdempotentRepository;
import io.caravanserai.ledger.Ledger;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.outbox.Outbox;
import io.caravanserai.outside.OutsideComponent;
import io.caravanserai.process.CancelledOrdersLog;
import io.caravanserai.process.ChoreographyDeadlines;
import io.caravanserai.process.FlowFailures;
import io.caravanserai.process.OrderCalls;
import io.caravanserai.process.OrderCompletions;
import io.caravanserai.process.OrderReactions;
import io.caravanserai.process.OrderRecovery;
import io.caravanserai.process.OrderRetries;
import io.caravanserai.process.OrderSagas;
import io.caravanserai.saga.Backoff;
import io.caravanserai.saga.DurableSagaService;
import io.caravanserai.saga.SagaListener;
import io.caravanserai.service.CommandReply;
import io.caravanserai.service.OrderLookup;
import io.caravanserai.service.RetriesExhausted;
import io.caravanserai.service.ServiceRoutes;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.StepName;
import io.caravanserai.service.StepWork;
import io.caravanserai.service.WorkListener;
import io.caravanserai.service.inventory.Inventory;
import io.caravanserai.service.inventory.StockRepository;
import io.caravanserai.service.order.OrderHistory;
import io.caravanserai.service.order.OrderStateMachine;
import io.caravanserai.service.order.Orders;
import io.caravanserai.service.payment.Payments;
import io.caravanserai.service.shipping.Shipping;
import io.caravanserai.store.RunningClock;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import io.caravanserai.support.Ids;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.model.RedeliveryPolicyDefinition;
import org.apache.camel.model.errorhandler.DefaultErrorHandlerDefinition;
import org.apache.camel.spi.CamelLogger;
import org.apache.camel.spi.Registry;

/**
 * The core of the hub: services, sagas, flows and recovery on a store and a Camel context, without ingress and brokers.
 * The benchmark uses the core alone.
 */
public final class OrderModule implements AutoCloseable {
    final Store store;
    final Clock clock;
    /** The clock of deadlines. */
    final RunningClock running;

    final Supplier<String> ids = new Ids();
    final Orders orders;
    final OrderHistory history = new OrderHistory();
    final OrderStateMachine life;
    final OrderCompletions outcomes = new OrderCompletions();
    final Outbox outbox;
    final StepLog stepLog;
    final Inventory inventory;
    final StockRepository shelf = new StockRepository();
    final Payments payments;
    final Shipping shipping;
    final DurableSagaService sagas;
    final Flows flows;
    final FlowEntry entry;
    final OrderRecovery recovery;
    final ChoreographyDeadlines sagaless;
    final StoreIdempotentRepository once;
    final Ledger ledger;
    private final CamelContext context;
    private final ServiceRoutes routes;
    private final OutsideComponent outside;
    private final OrderReactions reactions;

    /**
     * @param context not yet started
     * @param relay receives each event once the event is durable; must not block
     */
    public OrderModule(
            HubSettings settings, Store store, CamelContext context, Clock clock, Consumer<OrderEvent> relay) {
        this(settings, store, context, clock, relay, decides -> decides, WorkListener.NONE);
    }

    /** @param sagaListener may wrap the listener, for example with meters */
    public OrderModule(
            HubSettings settings,
            Store store,
            CamelContext context,
            Clock clock,
            Consumer<OrderEvent> relay,
            UnaryOperator<SagaListener> sagaListener,
            WorkListener work) {
        this.store = store;
        this.clock = clock;
        this.context = context;
        HubEdge.guard(context, !settings.security().keys().isEmpty());
        this.running = RunningClock.resume(store, clock);
        this.orders = new Orders(clock, running);
        this.life = new OrderStateMachine(clock, outcomes::ended);
        this.stepLog = new StepLog(ids, clock, work);
        // The fence comes first, so that no other projection counts a refused event.
        this.ledger = new Ledger(store, clock);
        CancelledOrdersLog cancelled = new CancelledOrdersLog();
        this.outbox = new Outbox(
                ids,
                clock,
                List.of(life, this::shipStock),
                relay.andThen(cancelled::happened).andThen(ledger::happened),
                settings.eventsAlsoToKafka());
        this.inventory = new Inventory(outbox, stepLog, clock);
        this.payments = new Payments(outbox, stepLog, clock, ids);
        this.shipping = new Shipping(outbox, clock, ids, settings.shippingCountries());
        StepWork close = (tx, order, cause) -> life.cancel(tx, outbox, order, cause);
        this.reactions = new OrderReactions(
                store, orders, outbox, context, ids, List.of(payments::refund, inventory::release), close);
        context.getRegistry().bind("reactions", reactions);
        Backoff backoff = new Backoff(
                settings.saga().compensationAttempts(), settings.saga().compensationBackoff());
        this.sagas = new DurableSagaService(
                store,
                clock,
                running,
                ids,
                settings.saga().timeout(),
                backoff,
                sagaListener.apply(new OrderSagas(
                        orders, life, outbox, stepLog, outcomes, new StepNames(context), cancelled, reactions)));
        sagas.setCamelContext(context);
        context.getRegistry().bind("sagaService", sagas);
        context.getRegistry().bind("commandReply", new CommandReply());
        this.once = new StoreIdempotentRepository(store, new Inbox(clock));
        context.getRegistry().bind("once", once);
        context.getCamelContextExtension()
                .addContextPlugin(RetryListener.class, new OrderRetries(store, orders, stepLog, clock));
        AllowedUse.limit(context, settings.flows().allowedComponents());
        this.flows = new Flows(context, store, settings.routesDir(), clock, ordersCarried());
        this.entry = new FlowEntry(context, flows);
        this.recovery = new OrderRecovery(
                store,
                orders,
                outbox,
                sagas,
                entry,
                clock,
                running,
                settings.saga().timeout());
        this.sagaless = new ChoreographyDeadlines(
                store, orders, outbox, stepLog, running, settings.saga().timeout());
        quietErrorHandler(context);
        context.getGlobalOptions().put(Exchange.LOG_EIP_NAME, "flow");
        context.getCamelContextExtension().addLogListener(OrderModule::withOrder);
        context.getManagementStrategy()
                .addEventNotifier(new FlowFailures(
                        store,
                        orders,
                        stepLog,
                        sagas,
                        sagaless,
                        new StepNames(context),
                        cancelled,
                        (tx, order, reason) -> life.ownStepFailed(
                                tx,
                                outbox,
                                order.orderId(),
                                reason,
                                orders.find(tx, order.orderId())
                                        .map(OrderLookup.Known::context)
                                        .orElse(EventContext.NONE))));
        context.getRegistry().bind("openOrders", (OpenOrders) orderId -> store.read(tx -> orders.view(tx, orderId)
                .filter(order -> !order.status().isEnd())
                .isPresent()));
        RetriesExhausted giveUp = new RetriesExhausted(store, orders, outbox, this::ownStepFailed);
        this.outside = new OutsideComponent(new OrderCalls(store, orders, sagas, stepLog, giveUp));
        context.addComponent("outside", outside);
        this.routes = new ServiceRoutes(store, orders, giveUp, work)
                .with(OrderReactions.ENDPOINT, reactions.repetition())
                .with(Step.CREATE_ORDER, (tx, order, cause) -> life.create(tx, outbox, order, cause), reactions::cancel)
                .with(Step.RESERVE_ITEMS, inventory::reserve, inventory::release)
                .with(Step.PROCESS_PAYMENT, payments::charge, payments::refund)
                .with(Step.PROCESS_PAYMENT, "payment-captured", payments::book)
                .with(Step.PROCESS_PAYMENT, "payment-declined", payments::decline)
                .with(Step.SHIP_ORDER, shipping::ship);
    }

    /** Adds the order id to log steps of flows, so that a search for the id finds the lines. */
    private static String withOrder(Exchange exchange, CamelLogger logger, String message) {
        String orderId = exchange.getMessage().getHeader("orderId", String.class);
        return orderId == null || message.contains(orderId) ? message : message + " orderId=\"" + orderId + "\"";
    }

    /** Disables the log lines and traces of Camel for failures: the hub logs one line with the order id. */
    private static void quietErrorHandler(CamelContext context) {
        RedeliveryPolicyDefinition policy = new RedeliveryPolicyDefinition();
        policy.setLogExhausted("false");
        policy.setLogStackTrace("false");
        policy.setLogExhaustedMessageHistory("false");
        DefaultErrorHandlerDefinition quiet = new DefaultErrorHandlerDefinition();
        quiet.setRedeliveryPolicy(policy);
        // In a route without an onException, Camel does not use the policy.
        quiet.setLevel("OFF");
        context.getCamelContextExtension().setErrorHandlerFactory(quiet);
    }

    private void shipStock(Transaction tx, OrderEvent event) throws SQLException {
        inventory.onEvent(tx, event);
    }

    private void ownStepFailed(
            Transaction tx,
            String orderId,
            StepName step,
            Reason reason,
            int attempt,
            String detail,
            EventContext context)
            throws SQLException {
        life.ownStepFailed(tx, outbox, orderId, reason, context);
        stepLog.failed(tx, orderId, step.name(), attempt, detail);
    }

    private OrdersCarried ordersCarried() {
        return new OrdersCarried() {
            @Override
            public CompletableFuture<List<Carried>> unfinished() {
                return store.read(OrderModule.this::carried);
            }

            @Override
            public CompletableFuture<List<Carried>> listed() {
                return store.list(OrderModule.this::carried);
            }
        };
    }

    private List<OrdersCarried.Carried> carried(Transaction tx) throws SQLException {
        List<OrdersCarried.Carried> carried = new ArrayList<>();
        orders.flowsInUse(tx)
                .forEach(use -> carried.add(new OrdersCarried.Carried(use.flow(), use.version(), use.orders())));
        // A saga needs the flow version in the compensation endpoints, also without an order in the saga.
        sagas.log().openEndpoints(tx).stream()
                .flatMap(uri -> RouteName.ofEndpoint(uri).stream())
                .flatMap(name ->
                        name.possibleFlows().stream().map(flow -> new OrdersCarried.Carried(flow, name.version(), 0)))
                .forEach(carried::add);
        return carried;
    }

    /** The registry of the Camel context. */
    Registry registry() {
        return context.getRegistry();
    }

    /** Returns the endpoints of the services. Add the routes to the context before the start of the context. */
    public ServiceRoutes routes() {
        return routes;
    }

    /** Starts the flows and resumes the work of earlier processes. Requires a started context. */
    void start() {
        flows.start();
        reactions.watch(sagas);
        sagas.watch();
        recovery.watch();
        sagaless.watch();
        ledger.watch();
    }

    @Override
    public void close() {
        ledger.close();
        reactions.close();
        sagaless.close();
        recovery.close();
        sagas.close();
        // After the close of the sagas, an ended call compensates no saga.
        outside.endCalls();
        entry.close();
        flows.close();
        running.close();
    }
}
