package io.caravanserai.flow.deploy;

import io.caravanserai.flow.check.HttpIngress;
import java.util.Map;
import org.apache.camel.AsyncCallback;
import org.apache.camel.AsyncProcessor;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.MultipleConsumersSupport;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.DefaultPlatformHttpConsumer;
import org.apache.camel.component.platform.http.PlatformHttpComponent;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.spi.annotations.Component;
import org.apache.camel.support.AsyncProcessorConverterHelper;
import org.apache.camel.support.AsyncProcessorSupport;

/**
 * Camel's {@code platform-http} for routes that are replaced at run time: two versions of a flow may have the same path
 * for a moment. The version that started first answers until its consumer stops.
 * <p>{@link HttpIngress} refuses two flows with the same path, which Camel's own component would refuse at the start.
 */
@Component("platform-http")
public final class FlowHttpComponent extends PlatformHttpComponent {

    @Override
    protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) throws Exception {
        PlatformHttpEndpoint endpoint = new FlowHttpEndpoint(uri, remaining, this);
        endpoint.setPlatformHttpEngine(getEngine());
        endpoint.setHandleWriteResponseError(isHandleWriteResponseError());
        endpoint.setRequestTimeout(getRequestTimeout());
        setEndpointHeaderFilterStrategy(endpoint);
        setProperties(endpoint, parameters);
        return endpoint;
    }

    private static final class FlowHttpEndpoint extends PlatformHttpEndpoint implements MultipleConsumersSupport {

        FlowHttpEndpoint(String uri, String remaining, FlowHttpComponent component) {
            super(uri, remaining, component);
        }

        @Override
        public boolean isMultipleConsumersSupported() {
            return true;
        }

        @Override
        public DefaultPlatformHttpConsumer createConsumer(Processor processor) throws Exception {
            return super.createConsumer(new KeptRunning(processor));
        }
    }

    /**
     * The steps behind a consumer. A stopping consumer would also stop the steps and reject the requests in flight.
     * With this wrapper the steps stop with the route.
     */
    private static final class KeptRunning extends AsyncProcessorSupport {
        private final AsyncProcessor steps;

        KeptRunning(Processor steps) {
            this.steps = AsyncProcessorConverterHelper.convert(steps);
        }

        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
            return steps.process(exchange, callback);
        }
    }
}
