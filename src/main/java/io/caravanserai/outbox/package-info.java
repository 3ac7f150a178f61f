/** Events, recorded in the same unit of work as the effect they tell of, and sent on once that is durable. */
package io.caravanserai.outbox;
