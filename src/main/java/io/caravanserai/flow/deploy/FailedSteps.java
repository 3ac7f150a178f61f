package io.caravanserai.flow.deploy;

import io.caravanserai.flow.yaml.StepNames;
import io.caravanserai.saga.FailurePlace;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.model.OptionalIdentifiedDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.AsyncProcessorConverterHelper;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/** Records on an exchange the flow step that failed: the innermost step with a name. Thread-safe. */
final class FailedSteps implements InterceptStrategy {

    private final String nodePrefix;

    /** @param nodePrefix prefix of node ids, which the names in the flow text do not have */
    FailedSteps(String nodePrefix) {
        this.nodePrefix = nodePrefix;
    }

    @Override
    public Processor wrapProcessorInInterceptors(
            CamelContext context, NamedNode definition, Processor target, Processor nextTarget) {
        return new Noting(target, definition);
    }

    /** Returns the service step that the node calls, else the id in the flow of the node or of an enclosing node. */
    private String name(NamedNode definition) {
        if (definition instanceof ProcessorDefinition<?> node) {
            String called = StepNames.calledBy(node);
            if (called != null) {
                return called;
            }
        }
        NamedNode node = definition;
        while (node != null && !(node instanceof RouteDefinition)) {
            if (node instanceof OptionalIdentifiedDefinition<?> named && named.hasCustomIdAssigned()) {
                String id = named.getId();
                return id.startsWith(nodePrefix) ? id.substring(nodePrefix.length()) : id;
            }
            node = node.getParent();
        }
        return null;
    }

    private final class Noting extends DelegateAsyncProcessor {
        private final NamedNode definition;

        Noting(Processor target, NamedNode definition) {
            super(AsyncProcessorConverterHelper.convert(target));
            this.definition = definition;
        }

        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
            return super.process(exchange, doneSync -> {
                Throwable failure = exchange.getException();
                if (failure != null && !FailurePlace.isNoted(exchange, failure)) {
                    new FailurePlace(failure, name(definition)).note(exchange);
                }
                callback.done(doneSync);
            });
        }
    }
}
