/**
 * REST resources for operators: sagas and operator actions, stock, payments and shipments, events, schemas, dead
 * letters, health and metrics. Uses only the public types of the other rooms; no room uses this room.
 */
package io.caravanserai.api;
