/**
 * Carries events between services, at least once and in order for each order, whatever broker is underneath. Knows
 * events and their wire form, never who listens.
 */
package io.caravanserai.bus;
