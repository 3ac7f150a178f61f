package io.caravanserai.http;

/** What a room has to say over HTTP. */
@FunctionalInterface
public interface HttpEndpoints {

    /** Adds the room's endpoints to the table. Called once, before the server takes requests. */
    void register(HttpRoutes routes);
}
