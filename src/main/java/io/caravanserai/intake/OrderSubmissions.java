package io.caravanserai.intake;

import io.caravanserai.inbox.IdempotencyKeys;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.process.OrderIntake;
import io.caravanserai.service.order.OrderHistory;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import java.time.Clock;
import java.time.Duration;

/**
 * The parts that the REST ingress uses.
 * @param usualStyle default style of orders
 * @param usualWait default wait for the end of an order
 * @param owner id of this process, unique among all processes that ever used the store
 * @param alone whether no other process uses the store
 */
public record OrderSubmissions(
        OrderIntake entry,
        Store store,
        Orders orders,
        OrderHistory history,
        IdempotencyKeys keys,
        Clock clock,
        OrderStyle usualStyle,
        Duration usualWait,
        String owner,
        boolean alone) {}
