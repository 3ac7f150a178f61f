package io.caravanserai.outside;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import java.util.Map;
import org.apache.camel.Endpoint;
import org.apache.camel.support.DefaultComponent;

/**
 * Calls outside services: {@code outside:http://localhost:9090/charges}, {@code outside:jms:charges},
 * {@code outside:kafka:warehouse}. The basis of the Kamelets {@code http-call}, {@code jms-call} and
 * {@code kafka-send}.
 */
public final class OutsideComponent extends DefaultComponent {
    private final OutsideCalls calls;
    private Vertx vertx;

    /** For Camel applications without the hub: calls do not depend on the state of an order. */
    public OutsideComponent() {
        this(CallRules.NONE);
    }

    public OutsideComponent(CallRules rules) {
        this.calls = new OutsideCalls(rules);
    }

    @Override
    protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) throws Exception {
        OutsideEndpoint endpoint = new OutsideEndpoint(uri, this, remaining);
        endpoint.take(parameters);
        return endpoint;
    }

    OutsideCalls calls() {
        return calls;
    }

    /** Returns a Vert.x instance with two event loops, which never block. */
    synchronized Vertx vertx() {
        if (vertx == null) {
            vertx = Vertx.vertx(new VertxOptions()
                    .setEventLoopPoolSize(2)
                    .setFileSystemOptions(
                            new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
        }
        return vertx;
    }

    /** Ends all calls that wait or are in flight, and refuses new calls. The calls continue after the next start. */
    public void endCalls() {
        calls.close();
    }

    @Override
    protected void doStop() throws Exception {
        calls.close();
        synchronized (this) {
            if (vertx != null) {
                vertx.close();
                vertx = null;
            }
        }
        super.doStop();
    }
}
