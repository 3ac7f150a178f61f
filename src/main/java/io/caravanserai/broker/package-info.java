/**
 * The hub's brokers: embedded Artemis and Kafka with data in the hub's data folder, open to other programs, and the
 * connection to an external JMS broker. Contains nothing about orders.
 */
package io.caravanserai.broker;
