package io.caravanserai.jms;

import io.caravanserai.bus.HubName;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.camel.component.jms.JmsConfiguration;
import org.apache.camel.component.jms.TemporaryQueueResolver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jms.core.MessageCreator;
import org.springframework.jms.support.destination.DynamicDestinationResolver;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * JMS defaults for flows: transacted, with replies between flows that do not wait for the broker.
 *
 * <p>Artemis' client queries the broker twice about a destination not used before, waits for both answers, and stores
 * the result in the destination object. Each message's reply-to is a new destination object, so each reply would wait
 * twice. A reply to a temporary queue of this hub therefore uses the object created for the consumer, as long as the
 * queue exists. A reply to a queue that is gone is dropped.
 */
public final class CamelJmsConfiguration extends JmsConfiguration {
    private static final Logger LOG = LoggerFactory.getLogger(CamelJmsConfiguration.class);

    private static final int REPLY_THREADS = 8;

    /** Shared by the copies of this configuration that Camel makes for endpoints. */
    private final ReplyQueues replyQueues = new ReplyQueues();

    private final Executor replies = replyThreads();

    /** @param ownQueue whether only routes of this hub use a queue */
    public CamelJmsConfiguration(ConnectionFactory connections, HubName name, Predicate<String> ownQueue) {
        super(connections);
        setDestinationResolver(new DynamicDestinationResolver() {
            @Override
            public Destination resolveDestinationName(Session session, String destination, boolean isTopic)
                    throws JMSException {
                boolean own = !isTopic && ownQueue.test(destination);
                return super.resolveDestinationName(session, own ? name.ownQueue(destination) : destination, isTopic);
            }
        });
        // One transaction consumes a message and sends the results.
        setTransacted(true);
        setLazyCreateTransactionManager(false);
        setCacheLevelName("CACHE_CONSUMER");
        setRecoveryInterval(1_000);
        setTemporaryQueueResolver(replyQueues);
    }

    /**
     * The listener's session is bound to the listener's thread: a reply from that thread belongs to the listener's
     * transaction.
     */
    private static boolean isListenerThread() {
        return !TransactionSynchronizationManager.getResourceMap().isEmpty();
    }

    private static Executor replyThreads() {
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                REPLY_THREADS, REPLY_THREADS, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                    Thread thread = new Thread(work, "jms-flow-replies");
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    @Override
    protected CamelJmsTemplate createCamelJmsTemplate(ConnectionFactory connections) {
        return new CamelJmsTemplate(this, connections) {
            /** Camel sends replies by this method, and all other messages by other methods. */
            @Override
            public void send(Destination replyTo, MessageCreator reply) {
                Optional<Destination> own = replyQueues.own(replyTo);
                if (isListenerThread()) {
                    send(own, replyTo, reply);
                } else {
                    // The flow ended on a thread of the store, which must not wait for a broker.
                    replies.execute(() -> sendLater(own, replyTo, reply));
                }
            }

            private void send(Optional<Destination> own, Destination replyTo, MessageCreator reply) {
                if (own.isEmpty() && isGone(replyTo)) {
                    LOG.debug("temporary queue {} is gone; reply dropped", replyTo);
                } else {
                    super.send(own.orElse(replyTo), reply);
                }
            }

            /** Failures are only logged: without a reply in time, the requester asks again. */
            private void sendLater(Optional<Destination> own, Destination replyTo, MessageCreator reply) {
                try {
                    send(own, replyTo, reply);
                } catch (RuntimeException e) {
                    LOG.debug("reply to {} not sent; the requester will ask again", replyTo, e);
                }
            }

            private boolean isGone(Destination replyTo) {
                return replyTo instanceof TemporaryQueue
                        && Boolean.TRUE.equals(
                                execute(session -> TemporaryDestinations.isGone(session, replyTo), false));
            }
        };
    }

    /** The temporary queues that flows consume replies from. */
    private static final class ReplyQueues implements TemporaryQueueResolver {
        private final Map<Destination, Own> open = new ConcurrentHashMap<>();

        /** The queue ends when the session is closed or breaks. */
        private record Own(Destination queue, ClientSession session) {}

        @Override
        public TemporaryQueue createTemporaryQueue(Session session) throws JMSException {
            TemporaryQueue queue = session.createTemporaryQueue();
            TemporaryDestinations.core(session).ifPresent(core -> open.put(queue, new Own(queue, core)));
            return queue;
        }

        @Override
        public void delete(TemporaryQueue queue) {
            open.remove(queue);
            try {
                queue.delete();
            } catch (JMSException e) {
                LOG.debug("cannot delete a reply queue; the queue ends with the connection", e);
            }
        }

        Optional<Destination> own(Destination destination) {
            return Optional.ofNullable(open.get(destination))
                    .filter(own -> !own.session().isClosed())
                    .map(Own::queue);
        }
    }
}
