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
 * What the REST door stands on.
 *
 * @param usualStyle of orders that name none
 * @param usualWait of senders that say nothing about it
 * @param owner this process among all that ever ran on the store
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
