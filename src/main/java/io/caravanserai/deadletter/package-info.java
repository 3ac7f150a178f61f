/**
 * Stores the messages that could not be handled, from every ingress and bus, in one list. Dead letters can be listed,
 * changed and replayed to the source. Knows no broker: each receiver registers a replayer.
 */
package io.caravanserai.deadletter;
