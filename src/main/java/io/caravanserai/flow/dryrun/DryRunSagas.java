package io.caravanserai.flow.dryrun;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.saga.CamelSagaCoordinator;
import org.apache.camel.saga.CamelSagaService;
import org.apache.camel.saga.CamelSagaStep;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.service.ServiceSupport;

/** Sagas of a dry run: in memory. All compensations have run when the call returns. */
final class DryRunSagas extends ServiceSupport implements CamelSagaService {
    private final Map<String, Coordinator> sagas = new ConcurrentHashMap<>();
    private CamelContext context;

    @Override
    public CompletableFuture<CamelSagaCoordinator> newSaga(Exchange exchange) {
        Coordinator saga = new Coordinator(UUID.randomUUID().toString());
        sagas.put(saga.getId(), saga);
        return CompletableFuture.completedFuture(saga);
    }

    @Override
    public CompletableFuture<CamelSagaCoordinator> getSaga(String id) {
        return CompletableFuture.completedFuture(sagas.get(id));
    }

    @Override
    public void registerStep(CamelSagaStep step) {
        // Nothing to prepare.
    }

    @Override
    public CamelContext getCamelContext() {
        return context;
    }

    @Override
    public void setCamelContext(CamelContext context) {
        this.context = context;
    }

    private record Joined(CamelSagaStep step, Map<String, Object> options) {}

    private final class Coordinator implements CamelSagaCoordinator {
        private final String id;
        private final List<Joined> joined = new ArrayList<>();
        private boolean ended;

        Coordinator(String id) {
            this.id = id;
        }

        @Override
        public String getId() {
            return id;
        }

        @Override
        public CompletableFuture<Void> beginStep(Exchange exchange, CamelSagaStep step) {
            if (ended) {
                return CompletableFuture.failedFuture(new IllegalStateException("the saga has ended"));
            }
            Map<String, Object> options = new HashMap<>();
            step.getOptions().forEach((name, value) -> options.put(name, value.evaluate(exchange, Object.class)));
            joined.add(new Joined(step, options));
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Void> compensate(Exchange exchange) {
            if (!ended) {
                ended = true;
                for (int i = joined.size() - 1; i >= 0; i--) {
                    Joined each = joined.get(i);
                    each.step().getCompensation().ifPresent(endpoint -> send(endpoint, each));
                }
            }
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Void> complete(Exchange exchange) {
            if (!ended) {
                ended = true;
                joined.forEach(each -> each.step().getCompletion().ifPresent(endpoint -> send(endpoint, each)));
            }
            return CompletableFuture.completedFuture(null);
        }

        private void send(Endpoint endpoint, Joined step) {
            Exchange exchange = new DefaultExchange(context);
            step.options().forEach(exchange.getMessage()::setHeader);
            exchange.getMessage().setHeader(Exchange.SAGA_LONG_RUNNING_ACTION, id);
            try {
                endpoint.createProducer().process(exchange);
            } catch (Exception e) {
                exchange.setException(e);
            }
        }
    }
}
