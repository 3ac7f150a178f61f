/**
 * The three ingresses: read, check, store once, and answer orders. An accepted order is valid; a refused order leaves
 * nothing behind. REST, JMS and Kafka share {@link io.caravanserai.intake.OrderReader} and one key space of idempotency
 * keys.
 */
package io.caravanserai.intake;
