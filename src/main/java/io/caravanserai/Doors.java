package io.caravanserai;

import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.ingress.OrderDoor;
import io.caravanserai.ingress.OrderEndpoints;
import io.caravanserai.ingress.OrderEntry;
import io.caravanserai.ingress.OrderReader;
import io.caravanserai.operator.CancelEndpoint;
import io.caravanserai.operator.HealthCheck;
import io.caravanserai.operator.HealthEndpoints;
import io.caravanserai.operator.InvariantsEndpoint;
import io.caravanserai.operator.LedgerEndpoints;
import io.caravanserai.operator.OpenApiEndpoint;
import io.caravanserai.operator.SagaEndpoints;
import io.caravanserai.operator.StockEndpoints;
import java.util.List;
import java.util.function.BiConsumer;

/** Where orders come in, and the endpoints of the core. The JMS and Kafka doors share {@link #reader} and {@link #entry}. */
final class Doors {
    final OrderReader reader;
    final OrderEntry entry;
    private final HubSettings settings;
    private final Core core;
    final IdempotencyKeys keys;
    /** This process: a node that is started again under the same name is another one. */
    private final String owner;

    Doors(HubSettings settings, Core core, BiConsumer<String, String> started) {
        this.settings = settings;
        this.core = core;
        this.keys = new IdempotencyKeys(core.clock);
        this.owner = settings.nodeId() + "/" + core.ids.get();
        this.reader = new OrderReader(core.ids);
        this.entry = new OrderEntry(
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
    }

    /** @param checks of what the hub needs besides its store */
    List<HttpEndpoints> endpoints(List<HealthCheck> checks) {
        OrderDoor door = new OrderDoor(
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
                        core.store, core.orders, core.history, core.life, core.sagaless, core.stepLog, core.sagas),
                new SagaEndpoints(core.store, core.sagas, core.orders, core.running::onTheWall),
                new StockEndpoints(core.store, core.shelf),
                new LedgerEndpoints(core.store, core.payments, core.shipping),
                new InvariantsEndpoint(core.ledger),
                new HealthEndpoints(core.store, core.clock, checks),
                new OpenApiEndpoint());
    }
}
