/**
 * The infrastructure of the HTTP API: a table of endpoints on Camel's own Vert.x router, with one form of errors (RFC
 * 9457), one limit for bodies and one authorization filter. Knows no orders. No class here blocks a thread.
 *
 * <p>To add an endpoint, implement {@link io.caravanserai.http.HttpEndpoints} in the room of the resource and pass the
 * implementation to {@link io.caravanserai.http.HttpApi} in {@code app}:
 *
 * <pre>{@code
 * public void register(HttpRoutes routes) {
 *     routes.get("/parcels/{id}", Permission.READ, request -> parcels.find(request.path("id"))
 *             .thenApply(found -> Response.json(200, found.orElseThrow(() -> Problem.notFound("parcel").asException()))));
 *     routes.put("/parcels/{id}", Permission.OPERATE, request -> parcels.change(request.json(Parcel.class)).thenApply(...))
 *             .consuming("application/json");
 * }
 * }</pre>
 *
 * Then describe the endpoint in {@code openapi.json}: a test compares the document with the table.
 */
package io.caravanserai.http;
