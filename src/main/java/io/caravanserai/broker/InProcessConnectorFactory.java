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
 * Artemis' connections within the process, whose packets to the broker are read by the thread that sends them. The usual
 * ones wake a thread of the broker for each packet, only to read it and hand it to another, which costs more than the reading.
 * What the broker does about a packet is done by its own threads; a packet that it cannot read fails its sender.
 *
 * <p>Public and without arguments, for Artemis makes it by its name.
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
                return super.internalCreateConnection(brokersHandler, connectionListener, new SendersThread());
            }
        };
    }

    /** One packet of a connection at a time, in the order in which they are sent. Answers come by other threads. */
    private static final class SendersThread implements ArtemisExecutor {
        @Override
        public synchronized void execute(Runnable reading) {
            reading.run();
        }
    }
}
