/**
 * Calls to services outside the hub, over HTTP, JMS or Kafka: the endpoint {@code outside:} behind the Kamelets. A
 * waiting call blocks no thread, ends after a timeout, and is sent only while the order goes forward.
 */
package io.caravanserai.outside;
