/**
 * What people need to run the hub, over HTTP: sagas and what to do with a stuck one, stock, payments and shipments,
 * events, schemas, dead letters, health and metrics. Uses only the public types of the other rooms; no room uses this
 * one.
 */
package io.caravanserai.api;
