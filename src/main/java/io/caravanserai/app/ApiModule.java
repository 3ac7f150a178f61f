package io.caravanserai.app;

import io.caravanserai.api.CancelEndpoint;
import io.caravanserai.api.HealthCheck;
import io.caravanserai.api.HealthEndpoints;
import io.caravanserai.api.InvariantsEndpoint;
import io.caravanserai.api.LedgerEndpoints;
import io.caravanserai.api.OpenApiEndpoint;
import io.caravanserai.api.SagaEndpoints;
import io.caravanserai.api.StockEndpoints;
import io.caravanserai.config.HubSettings;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.intake.FlowOrders;
import io.caravanserai.intake.IntakeRoutes;
import io.caravanserai.intake.OrderEndpoints;
import io.caravanserai.intake.OrderMessages;
import io.caravanserai.intake.OrderReader;
import io.caravanserai.intake.OrderSubmissions;
import io.caravanserai.process.OrderCancellation;
import io.caravanserai.process.OrderIntake;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * The ingress of orders and the REST endpoints of the core. The JMS and Kafka ingresses share {@link #reader} and
 * {@link #entry}.
 */
final class ApiModule {
    final OrderReader reader;
    final OrderIntake entry;
    private final HubSettings settings;
    private final OrderModule core;
    final IntakeRoutes routes = new IntakeRoutes();
    final IdempotencyKeys keys;
    /** Id of this process: a restarted node with the same name has another id. */
    private final String owner;

    ApiModule(HubSettings settings, OrderModule core, BiConsumer<String, String> started) {
        this.settings = settings;
        this.core = core;
        this.keys = new IdempotencyKeys(core.clock);
        this.owner = settings.nodeId() + "/" + core.ids.get();
        this.reader = new OrderReader(core.ids);
        this.entry = new OrderIntake(
                core.store,
                core.orders,
                core.outcomes,
                keys,
                core.flows,
                core.entry,
                core.ids,
                core.clock,
                owner,
                started);
        core.registry().bind("intakeRoutes", routes);
        core.registry().bind("flowOrders", new FlowOrders(messages("flow"), core.ids));
    }

    /** @param ingress by which the messages come, for meters */
    OrderMessages messages(String ingress) {
        return new OrderMessages(reader, entry, settings.style(), ingress);
    }

    /** @param checks in addition to the check of the store */
    List<HttpEndpoints> endpoints(List<HealthCheck> checks) {
        OrderSubmissions door = new OrderSubmissions(
                entry,
                core.store,
                core.orders,
                core.history,
                keys,
                core.clock,
                settings.style(),
                settings.http().answerWithin(),
                owner,
                settings.store().url().isEmpty());
        return List.of(
                new OrderEndpoints(door, reader),
                new CancelEndpoint(
                        new OrderCancellation(
                                core.store, core.orders, core.life, core.sagaless, core.stepLog, core.sagas),
                        core.store,
                        core.orders,
                        core.history),
                new SagaEndpoints(core.store, core.sagas, core.orders, core.running::onTheWall),
                new StockEndpoints(core.store, core.shelf),
                new LedgerEndpoints(core.store, core.payments, core.shipping),
                new InvariantsEndpoint(core.ledger),
                new HealthEndpoints(core.store, core.clock, checks),
                new OpenApiEndpoint());
    }
}
