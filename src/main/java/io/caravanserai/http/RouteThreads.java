package io.caravanserai.http;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.impl.RoutingContextDecorator;
import io.vertx.ext.web.impl.RoutingContextInternal;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/**
 * Starts the routes of requests on the worker pool of Vert.x, and holds no thread of the pool until a route has ended.
 * Camel's consumer waits for the end on one of 20 threads. Thread-safe.
 */
final class RouteThreads {
    private final Vertx vertx;
    private final Vertx starting;

    RouteThreads(Vertx vertx) {
        this.vertx = vertx;
        this.starting = (Vertx) Proxy.newProxyInstance(
                RouteThreads.class.getClassLoader(), new Class<?>[] {Vertx.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("executeBlocking")
                            && arguments.length == 2
                            && arguments[0] instanceof Callable<?> work
                            && arguments[1] instanceof Boolean ordered) {
                        return start(work, ordered);
                    }
                    try {
                        return method.invoke(vertx, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Completes on the thread of the request: when the route has ended, or with the result of other work. */
    private Future<Object> start(Callable<?> work, boolean ordered) {
        Context request = vertx.getOrCreateContext();
        return vertx.executeBlocking(
                        () -> {
                            Object result = work.call();
                            return FlowAnswer.takeEnd().orElseGet(() -> CompletableFuture.completedFuture(result));
                        },
                        ordered)
                .compose(end -> Future.fromCompletionStage(end, request));
    }

    /** The same request, for a consumer that runs its route by {@code executeBlocking}. */
    RoutingContext of(RoutingContext request) {
        return new RoutingContextDecorator(request.currentRoute(), (RoutingContextInternal) request) {
            @Override
            public Vertx vertx() {
                return starting;
            }
        };
    }
}
