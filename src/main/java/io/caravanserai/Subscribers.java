package io.caravanserai;

import io.caravanserai.bus.EventBus;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.inbox.Inbox;
import io.caravanserai.operator.AnalyticsEndpoints;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.store.Store;
import io.caravanserai.subscriber.analytics.Analytics;
import io.caravanserai.subscriber.notification.FileCarrier;
import io.caravanserai.subscriber.notification.Notifications;
import java.time.Clock;
import java.util.List;

/** Those in the hub who listen to the events of every style without a part in them. */
final class Subscribers implements AutoCloseable {
    final Notifications notifications;
    final Analytics analytics;

    Subscribers(HubSettings settings, Store store, EventLog log, Clock clock) {
        this.notifications = new Notifications(
                store,
                new Inbox(clock),
                clock,
                new FileCarrier(settings.dataDir().resolve("notifications.jsonl")));
        this.analytics = new Analytics(store, log);
    }

    /** Listens from now on; the bus ends it when it closes. */
    void listenTo(EventBus bus) {
        notifications.start();
        bus.subscribe(Notifications.SUBSCRIBER, Notifications.HEARS, notifications);
        bus.subscribe(Analytics.SUBSCRIBER, analytics);
    }

    List<HttpEndpoints> endpoints() {
        return List.of(new AnalyticsEndpoints(analytics));
    }

    @Override
    public void close() {
        notifications.close();
    }
}
