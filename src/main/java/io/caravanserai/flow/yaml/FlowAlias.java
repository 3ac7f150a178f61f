package io.caravanserai.flow.yaml;

import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.AsyncCallback;
import org.apache.camel.AsyncProducer;
import org.apache.camel.CamelContext;
import org.apache.camel.Consumer;
import org.apache.camel.Exchange;
import org.apache.camel.support.AsyncProcessorSupport;

/** An endpoint name without a version, for callers outside the file. Forwards each exchange to the newest version. */
public final class FlowAlias extends AsyncProcessorSupport {
    private final CamelContext context;
    private final String name;
    private final AtomicReference<AsyncProducer> newest = new AtomicReference<>();
    private Consumer consumer;

    public FlowAlias(CamelContext context, String name) {
        this.context = context;
        this.name = name;
    }

    /** Forwards exchanges to this version from now on. The first call starts the consumer. */
    public void pointAt(FlowVersion version) throws Exception {
        AsyncProducer producer = context.getEndpoint(
                        VersionedEndpoints.versioned(version.flow(), name, version.version()))
                .createAsyncProducer();
        producer.start();
        AsyncProducer before = newest.getAndSet(producer);
        if (before != null) {
            before.stop();
        }
        if (consumer == null) {
            consumer = context.getEndpoint(name).createConsumer(this);
            consumer.start();
        }
    }

    /** Stops the consumer. */
    public void vanish() {
        if (consumer != null) {
            consumer.stop();
            consumer = null;
        }
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        return newest.get().process(exchange, callback);
    }
}
