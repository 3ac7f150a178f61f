/**
 * Calls to services outside the hub, by HTTP, JMS or Kafka: the endpoint {@code outside:} behind the Kamelets. A call
 * blocks no thread while it waits, ends when its time is up, and is made only while its order goes forward.
 */
package io.caravanserai.outside;
