package io.caravanserai.app;

import io.caravanserai.api.AnalyticsEndpoints;
import io.caravanserai.bus.EventBus;
import io.caravanserai.bus.EventHandler;
import io.caravanserai.config.HubSettings;
import io.caravanserai.deadletter.DeadLetters;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.inbox.Inbox;
import io.caravanserai.outbox.EventLog;
import io.caravanserai.store.Store;
import io.caravanserai.subscriber.RecentEventFilter;
import io.caravanserai.subscriber.SubscriberRoutes;
import io.caravanserai.subscriber.analytics.Analytics;
import io.caravanserai.subscriber.notification.FileNotificationSender;
import io.caravanserai.subscriber.notification.MailNotificationSender;
import io.caravanserai.subscriber.notification.NotificationSender;
import io.caravanserai.subscriber.notification.Notifications;
import java.time.Clock;
import java.util.List;

/** The subscribers of the hub to the events of every style, without a part in orders. */
public final class Subscribers implements AutoCloseable {
    final Notifications notifications;
    final Analytics analytics;
    private final EventLog log;
    /** Filters that detect an event delivered both by the bus and by a flow. */
    private final EventHandler notify;

    private final EventHandler count;

    public Subscribers(HubSettings settings, Store store, EventLog log, DeadLetters letters, Clock clock) {
        this.log = log;
        this.notifications = new Notifications(store, new Inbox(clock), letters, clock, carrier(settings));
        this.analytics = new Analytics(store, log);
        this.notify = new RecentEventFilter(notifications);
        this.count = new RecentEventFilter(analytics);
    }

    private static NotificationSender carrier(HubSettings settings) {
        NotificationSender file = new FileNotificationSender(settings.dataDir().resolve("notifications.jsonl"));
        return settings.mail()
                .map(mail -> (NotificationSender) new MailNotificationSender(mail, file))
                .orElse(file);
    }

    /** Subscribes to the bus; closing the bus ends the subscriptions. */
    void listenTo(EventBus bus) {
        notifications.start();
        bus.subscribe(Notifications.SUBSCRIBER, Notifications.HEARS, notify);
        bus.subscribe(Analytics.SUBSCRIBER, count);
    }

    /** Returns the endpoints by which flows notify subscribers. Add the routes to the context before flows start. */
    public SubscriberRoutes routes() {
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
