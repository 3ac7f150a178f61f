package io.caravanserai.flow.yaml;

import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.AsyncCallback;
import org.apache.camel.AsyncProducer;
import org.apache.camel.CamelContext;
import org.apache.camel.Consumer;
import org.apache.camel.Exchange;
import org.apache.camel.support.AsyncProcessorSupport;

/**
 * The name of an endpoint without a version, for callers outside the file: it leads to the newest version, from one
 * exchange to the next.
 */
public final class FlowAlias extends AsyncProcessorSupport {
    private final CamelContext context;
    private final String name;
    private final AtomicReference<AsyncProducer> newest = new AtomicReference<>();
    private Consumer consumer;

    public FlowAlias(CamelContext context, String name) {
        this.context = context;
        this.name = name;
    }

    /** From now on exchanges go to this version. The first call opens the name. */
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

    /** Nobody answers to the name any more. */
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
