/**
 * Carries events between services over any supported broker: at least once, and in order for each order. Knows events
 * and the wire format, not the subscribers.
 */
package io.caravanserai.bus;
