package io.caravanserai.http;

/** The HTTP endpoints of a room. */
@FunctionalInterface
public interface HttpEndpoints {

    /** Adds the endpoints to the table. Called once, before the server accepts requests. */
    void register(HttpRoutes routes);
}
