/**
 * The plumbing of the HTTP API: a table of endpoints on Camel's own Vert.x router, with one way to answer errors
 * (RFC 9457), one limit for bodies and one door-keeper. It knows nothing of orders; nothing here blocks a thread.
 *
 * <p>To add an endpoint, implement {@link io.caravanserai.http.HttpEndpoints} in the room that has something to say and
 * hand it to {@link io.caravanserai.http.HttpApi} where the hub is wired:
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
 * and describe it in {@code openapi.json}: a test compares the two.
 */
package io.caravanserai.http;
