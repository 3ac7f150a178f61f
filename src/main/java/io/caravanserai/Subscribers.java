package io.caravanserai;

import io.caravanserai.bus.EventBus;
import io.caravanserai.bus.EventHandler;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.inbox.Inbox;
import io.caravanserai.operator.AnalyticsEndpoints;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.store.Store;
import io.caravanserai.subscriber.HeardOnce;
import io.caravanserai.subscriber.SubscriberRoutes;
import io.caravanserai.subscriber.analytics.Analytics;
import io.caravanserai.subscriber.notification.Carrier;
import io.caravanserai.subscriber.notification.FileCarrier;
import io.caravanserai.subscriber.notification.MailCarrier;
import io.caravanserai.subscriber.notification.Notifications;
import java.time.Clock;
import java.util.List;

/** Those in the hub who listen to the events of every style without a part in them. */
final class Subscribers implements AutoCloseable {
    final Notifications notifications;
    final Analytics analytics;
    private final EventLog log;
    /** By both ways events come to them: the bus, and flows. */
    private final EventHandler notify;

    private final EventHandler count;

    Subscribers(HubSettings settings, Store store, EventLog log, DeadLetters letters, Clock clock) {
        this.log = log;
        this.notifications = new Notifications(store, new Inbox(clock), letters, clock, carrier(settings));
        this.analytics = new Analytics(store, log);
        this.notify = new HeardOnce(notifications);
        this.count = new HeardOnce(analytics);
    }

    private static Carrier carrier(HubSettings settings) {
        Carrier file = new FileCarrier(settings.dataDir().resolve("notifications.jsonl"));
        return settings.mail()
                .map(mail -> (Carrier) new MailCarrier(mail, file))
                .orElse(file);
    }

    /** Listens from now on; the bus ends it when it closes. */
    void listenTo(EventBus bus) {
        notifications.start();
        bus.subscribe(Notifications.SUBSCRIBER, Notifications.HEARS, notify);
        bus.subscribe(Analytics.SUBSCRIBER, count);
    }

    /** Where flows have them hear of an order; to be added to the context before flows start. */
    SubscriberRoutes routes() {
        return new SubscriberRoutes(log)
                .with("notify-customer", Notifications.HEARS.before(notify))
                .with("count-order", count);
    }

    List<HttpEndpoints> endpoints() {
        return List.of(new AnalyticsEndpoints(analytics));
    }

    @Override
    public void close() {
        notifications.close();
    }
}
