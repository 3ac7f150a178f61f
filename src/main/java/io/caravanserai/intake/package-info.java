/**
 * The doors: what comes from outside is read, checked, made durable once and answered. An order that passes is valid
 * and safe; one that does not leaves nothing behind. REST is here; the JMS and Kafka doors share {@link
 * io.caravanserai.intake.OrderReader} and, for one key space, the idempotency keys.
 */
package io.caravanserai.intake;
