/**
 * What happens to an order beyond one service: its saga, its recovery after a crash, the failures of its flow, and
 * what its state allows calls to outside services to do. No class here speaks HTTP, JMS or Kafka.
 */
package io.caravanserai.process;
