/**
 * Brokers that run inside the hub's process, for people who have none: real ones, with their data in the hub's data
 * folder and open to clients from outside. Knows nothing of orders.
 */
package io.caravanserai.broker;
