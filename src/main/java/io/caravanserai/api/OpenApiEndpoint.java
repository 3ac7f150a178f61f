package io.caravanserai.api;

import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Response;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;

/** REST resource for the OpenAPI description. */
public final class OpenApiEndpoint implements HttpEndpoints {

    @Override
    public void register(HttpRoutes routes) {
        Response document = Response.of(200, Response.JSON, read());
        routes.get("/openapi.json", Permission.OPEN, request -> CompletableFuture.completedFuture(document));
    }

    private static byte[] read() {
        try (InputStream in = OpenApiEndpoint.class.getResourceAsStream("/openapi.json")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
