/**
 * The hub's use of Kafka: topic creation, sending in sequence, consuming without loss, the event bus, and the topic of
 * dead letters.
 */
package io.caravanserai.kafka;
