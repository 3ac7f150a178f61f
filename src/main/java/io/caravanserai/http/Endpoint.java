package io.caravanserai.http;

import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** One method of one path. Created by {@link HttpRoutes}. */
public final class Endpoint {

    /** Answers a request. Must not block. An exception, thrown or in the future, becomes a problem document. */
    @FunctionalInterface
    public interface Handler {
        CompletionStage<Response> handle(Request request) throws Exception;
    }

    private final String method;
    private final String path;
    private final Permission access;
    private final Handler handler;
    private final io.vertx.core.Handler<RoutingContext> raw;
    private List<String> mediaTypes = List.of();
    private List<String> queryParameters = List.of();
    private boolean bodyRequired;

    Endpoint(
            String method, String path, Permission access, Handler handler, io.vertx.core.Handler<RoutingContext> raw) {
        this.method = method;
        this.path = path;
        this.access = access;
        this.handler = handler;
        this.raw = raw;
    }

    /** Requires a body of one of these media types; any other type is answered with 415. */
    public Endpoint consuming(String... types) {
        mediaTypes = List.of(types);
        bodyRequired = true;
        return this;
    }

    /** Allows a body of one of these media types; any other type is answered with 415. */
    public Endpoint consumingOptionally(String... types) {
        mediaTypes = List.of(types);
        return this;
    }

    /** Declares the query parameters. An unknown or repeated parameter is answered with 400. */
    public Endpoint query(String... names) {
        queryParameters = List.of(names);
        return this;
    }

    public String method() {
        return method;
    }

    /** The path with parameters in braces, for example {@code /orders/{id}}. */
    public String path() {
        return path;
    }

    public Permission access() {
        return access;
    }

    public List<String> mediaTypes() {
        return mediaTypes;
    }

    public List<String> queryParameters() {
        return queryParameters;
    }

    boolean bodyRequired() {
        return bodyRequired;
    }

    /** Null for a raw endpoint. */
    Handler handler() {
        return handler;
    }

    /** Null for an ordinary endpoint. */
    io.vertx.core.Handler<RoutingContext> raw() {
        return raw;
    }
}
