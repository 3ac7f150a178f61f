/** Records events in the transaction of the effect and sends the events when durable. */
package io.caravanserai.outbox;
