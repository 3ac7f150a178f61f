/**
 * Processes orders across services: intake, sagas, deadlines, cancellation, flow failures, recovery after a crash, and
 * rules for calls to outside services. No class here speaks HTTP, JMS or Kafka.
 */
package io.caravanserai.process;
