/**
 * Subscribers to the events of every order that have no part in the order, and the endpoints that notify subscribers
 * without the bus.
 */
package io.caravanserai.subscriber;
