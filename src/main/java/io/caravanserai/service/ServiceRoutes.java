package io.caravanserai.service;

import io.caravanserai.order.Step;
import io.caravanserai.store.Store;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;

/**
 * The endpoints of the services: {@code direct:} plus the name of each action and compensation, {@code direct:give-up},
 * {@code direct:tell-failure} for services behind queues, and {@code direct:service-unavailable} for outside services.
 * A failure goes to the calling flow, which decides how to continue.
 */
public final class ServiceRoutes extends RouteBuilder {
    private final Store store;
    private final OrderLookup orders;
    private final WorkListener listener;
    private final Map<String, Processor> endpoints = new LinkedHashMap<>();

    public ServiceRoutes(Store store, OrderLookup orders, RetriesExhausted giveUp, WorkListener listener) {
        this.listener = listener;
        this.store = store;
        this.orders = orders;
        endpoints.put("give-up", giveUp);
        endpoints.put("tell-failure", CommandReply.TELL_FAILURE);
        endpoints.put("service-unavailable", new ToServiceUnavailable());
    }

    /** Adds a step without a compensation. */
    public ServiceRoutes with(Step step, StepWork action) {
        endpoints.put(step.action(), new ServiceEndpoint(store, orders, step, step.action(), action, listener));
        return this;
    }

    /** Adds an endpoint that is not a step. */
    public ServiceRoutes with(String name, Processor endpoint) {
        endpoints.put(name, endpoint);
        return this;
    }

    /** Adds another implementation of a step, under another name. */
    public ServiceRoutes with(Step step, String name, StepWork work) {
        endpoints.put(name, new ServiceEndpoint(store, orders, step, name, work, listener));
        return this;
    }

    /** Adds a step and the compensation of the step. */
    public ServiceRoutes with(Step step, StepWork action, StepWork compensation) {
        String name = step.compensation().orElseThrow();
        endpoints.put(name, new ServiceEndpoint(store, orders, step, name, compensation, listener));
        return with(step, action);
    }

    @Override
    public void configure() {
        endpoints.forEach((name, endpoint) -> from("direct:" + name)
                .routeId(name)
                .errorHandler(noErrorHandler())
                .process(endpoint));
    }
}
