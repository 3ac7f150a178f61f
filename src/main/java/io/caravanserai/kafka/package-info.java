/**
 * The link to Kafka that doors and buses share: topics that must be there, records sent in order, records taken in
 * without loss. Knows nothing of orders or events.
 */
package io.caravanserai.kafka;
