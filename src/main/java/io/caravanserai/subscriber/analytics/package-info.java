/**
 * Counts orders by events: live figures that can be rebuilt from the log at any time. Owns the tables analytics_*. Uses
 * events, the bus and the store; knows no service.
 */
package io.caravanserai.subscriber.analytics;
