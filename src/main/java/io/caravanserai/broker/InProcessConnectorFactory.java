package io.caravanserai.broker;

import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.activemq.artemis.core.remoting.impl.invm.InVMConnector;
import org.apache.activemq.artemis.core.remoting.impl.invm.InVMConnectorFactory;
import org.apache.activemq.artemis.spi.core.remoting.BufferHandler;
import org.apache.activemq.artemis.spi.core.remoting.ClientConnectionLifeCycleListener;
import org.apache.activemq.artemis.spi.core.remoting.ClientProtocolManager;
import org.apache.activemq.artemis.spi.core.remoting.Connection;
import org.apache.activemq.artemis.spi.core.remoting.Connector;
import org.apache.activemq.artemis.utils.actors.ArtemisExecutor;

/**
 * In-process connections of Artemis on which the sender's thread reads the packets to the broker. Artemis' own
 * in-process connections wake a broker thread for each packet, only to read the packet and hand the work to another
 * thread; the wake-up costs more than the reading. The broker's threads still do the work of a packet. A packet that
 * the broker cannot read fails the sender.
 *
 * <p>Public with a no-argument constructor, because Artemis creates the instance by class name.
 */
public final class InProcessConnectorFactory extends InVMConnectorFactory {
    @Override
    public Connector createConnector(
            Map<String, Object> configuration,
            BufferHandler handler,
            ClientConnectionLifeCycleListener listener,
            Executor closeExecutor,
            Executor threadPool,
            ScheduledExecutorService scheduledThreadPool,
            ClientProtocolManager protocolManager) {
        return new InVMConnector(configuration, handler, listener, closeExecutor, threadPool, protocolManager) {
            @Override
            protected Connection internalCreateConnection(
                    BufferHandler brokersHandler,
                    ClientConnectionLifeCycleListener connectionListener,
                    ArtemisExecutor brokersExecutor) {
                return super.internalCreateConnection(brokersHandler, connectionListener, new SenderThreadExecutor());
            }
        };
    }

    /** Reads one packet of a connection at a time, in send order. Answers arrive on other threads. */
    private static final class SenderThreadExecutor implements ArtemisExecutor {
        @Override
        public synchronized void execute(Runnable reading) {
            reading.run();
        }
    }
}
